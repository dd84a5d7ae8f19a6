#!/usr/bin/env bash
# Runs pytest against the extension that was compiled with sanitizers: tests/tools/sanitized.sh asan|tsan [pytest argument…]
# build/<preset>/stage (or LLMR_STAGE) holds that extension; the rest of the package is linked in beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=$1
shift
stage=${LLMR_STAGE:-$PWD/build/$preset/stage}
package=$stage/llm_runner_router
for path in python/llm_runner_router/*; do
  case ${path##*/} in
    _core*.so | lib | __pycache__) ;;
    *) ln -sfn "$PWD/$path" "$package/${path##*/}" ;;
  esac
done
# The editable installation puts a finder for python/ before every path. It is a module that a .pth file imports:
# an empty one of its name, earlier on the path, keeps it away.
: >"$stage/_editable_skbc_llm_runner_router.py"

# Python itself is not instrumented: the runtime is loaded before it, and its own leaks at exit are not ours.
case $preset in
  asan) runtime=libasan.so ;;
  tsan) runtime=libtsan.so ;;
esac
export LD_PRELOAD="$(${CXX:-g++} -print-file-name=$runtime) $(${CXX:-g++} -print-file-name=libstdc++.so)"
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:handle_segv=0:handle_sigbus=0:allow_user_segv_handler=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="halt_on_error=1:handle_sigbus=0:suppressions=$PWD/tests/tools/tsan.supp:${TSAN_OPTIONS:-}"
export PYTHONPATH=$stage PYTHONMALLOC=malloc LLMR_SANITIZER=$preset
core=$(.venv/bin/python -c 'import llm_runner_router._core as core; print(core.__file__)')
case $core in
  "$stage"/*) ;;
  *) echo "Python imports $core, not the extension in $stage" >&2; exit 1 ;;
esac
# Reports go to file descriptor 2 when the process is about to die: pytest must not have captured it.
exec .venv/bin/python -m pytest --capture=sys -p no:cacheprovider "$@"
