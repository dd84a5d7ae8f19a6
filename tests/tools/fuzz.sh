#!/usr/bin/env bash
# Every fuzz target for a bounded number of runs, under the sanitizers: tests/tools/fuzz.sh [runs]
# clang++ brings libFuzzer; without it our own driver mutates the seeds.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-200000}
python=$PWD/.venv/bin/python
if command -v clang++ >/dev/null; then
  export CXX=clang++
fi
targets=(gguf_fuzzer kv_snapshot_fuzzer)
cmake --preset fuzz -DPython_EXECUTABLE="$python" >build/fuzz.log || { cat build/fuzz.log; exit 1; }
cmake --build build/fuzz --target "${targets[@]}" -- --no-print-directory --quiet
PYTHONPATH=tests "$python" - build/fuzz/seeds <<'PYTHON'
import sys
from pathlib import Path

from core import snapshot_bytes
from core.gguf_bytes import small_file

seeds = {
    "gguf_fuzzer": small_file().build(),
    "kv_snapshot_fuzzer": snapshot_bytes.small().build(),
}
for target, seed in seeds.items():
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seed").write_bytes(seed)
PYTHON
for target in "${targets[@]}"; do
  seeds=build/fuzz/seeds/$target
  if [ "${CXX:-}" = clang++ ]; then
    build/fuzz/cpp/fuzz/"$target" -runs="$runs" -seed=1 "$seeds"
  else
    build/fuzz/cpp/fuzz/"$target" -runs="$runs" -seed=1 "$seeds"/*
  fi
done
