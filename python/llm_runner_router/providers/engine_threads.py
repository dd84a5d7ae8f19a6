"""What is to be set before the engine's extension is loaded."""

from __future__ import annotations

import os

SPIN_VARIABLE, SPIN_COUNT = "GOMP_SPINCOUNT", "1000"
"""How long OpenMP's threads spin where they wait for each other: some ten microseconds.

Its own default spins for milliseconds, and on a machine that has other work to do a step then
takes as long as the thread that was preempted. It is read once, when the extension is loaded.
"""


def prepare_engine() -> None:
    """To be called before the extension is imported; see ``SPIN_COUNT``."""
    os.environ.setdefault(SPIN_VARIABLE, SPIN_COUNT)
