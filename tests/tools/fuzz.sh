#!/usr/bin/env bash
# Every fuzz target for a bounded number of runs, under the sanitizers: tests/tools/fuzz.sh [runs]
# clang++ brings libFuzzer; without it our own driver mutates the seeds.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-200000}
if command -v clang++ >/dev/null; then
  export CXX=clang++
fi
cmake --preset fuzz -DPython_EXECUTABLE="$PWD/.venv/bin/python" >build/fuzz.log || { cat build/fuzz.log; exit 1; }
cmake --build build/fuzz --target gguf_fuzzer -- --no-print-directory --quiet
PYTHONPATH=tests .venv/bin/python - build/fuzz/seeds <<'PYTHON'
import sys
from pathlib import Path

from core.gguf_bytes import small_file

seeds = Path(sys.argv[1])
seeds.mkdir(exist_ok=True)
(seeds / "small.gguf").write_bytes(small_file().build())
PYTHON
if [ "${CXX:-}" = clang++ ]; then
  exec build/fuzz/cpp/fuzz/gguf_fuzzer -runs="$runs" -seed=1 build/fuzz/seeds
fi
exec build/fuzz/cpp/fuzz/gguf_fuzzer -runs="$runs" -seed=1 build/fuzz/seeds/*.gguf
