"""A process that quantises and tells each step: python quantize_process.py SOURCE TARGET [STOP].

Prints the fraction at each step. From STOP on it waits for a line, which it does not outlive.
"""

from __future__ import annotations

import resource
import sys

from llm_runner_router import _core


def report(stop: float) -> None:
    """Quantise to Q8_0, in the manner that the arguments say."""

    def on_progress(tensor: str, fraction: float) -> bool:
        print(tensor, fraction, flush=True)
        if fraction >= stop:
            sys.stdin.readline()
            sys.exit(3)
        return True

    _core.quantize(sys.argv[1], sys.argv[2], "Q8_0", on_progress, 1)


def limited(most: int) -> None:
    """Quantise where no file may grow beyond ``most`` bytes; print the error."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        _core.quantize(sys.argv[1], sys.argv[2], "Q8_0", lambda *_: True, 1)
    except _core.CoreError as error:
        print(error.reason, error.message)


if __name__ == "__main__":
    if sys.argv[3].startswith("most="):
        limited(int(sys.argv[3].removeprefix("most=")))
    else:
        report(float(sys.argv[3]))
