#!/usr/bin/env bash
# Runs pytest against the extension that was compiled with sanitizers: tools/sanitized.sh asan|tsan [pytest argument…]
# build/<preset>/stage holds that extension; the rest of the package is linked in beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
package=$PWD/build/$preset/stage/llm_runner_router
for path in python/llm_runner_router/*; do
  case ${path##*/} in
    _core*.so | lib | __pycache__) ;;
    *) ln -sfn "$PWD/$path" "$package/${path##*/}" ;;
  esac
done

# Python itself is not instrumented: the runtime is loaded before it, and its own leaks at exit are not ours.
case $preset in
  asan) runtime=libasan.so ;;
  tsan) runtime=libtsan.so ;;
esac
export LD_PRELOAD="$(${CXX:-g++} -print-file-name=$runtime) $(${CXX:-g++} -print-file-name=libstdc++.so)"
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=1:handle_sigbus=0:suppressions=$PWD/tools/tsan.supp:${TSAN_OPTIONS:-}"
export PYTHONPATH=$PWD/build/$preset/stage PYTHONMALLOC=malloc LLMR_SANITIZER=$preset
exec .venv/bin/python -m pytest -p no:cacheprovider "$@"
