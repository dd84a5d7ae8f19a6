"""``set_seed``: answers that are drawn by chance, and again the same ones."""

from __future__ import annotations

import random
import threading

from llm_runner_router.compat.transformers.parameters import seed_of
from llm_runner_router.errors import InvalidRequestError

DRAWN_BITS = 31
"""Of a seed: several answers to one prompt take the numbers behind it."""


class Seeds:
    """Seeds of answers, drawn one after the other. May be used from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: random.Random | None = None

    def begin(self, seed: int) -> None:
        """Draw from ``seed`` from now on."""
        with self._lock:
            self._numbers = random.Random(seed)  # noqa: S311 - no secret

    def next(self) -> int | None:
        """The next seed; ``None`` where none was begun with, which leaves it to chance."""
        with self._lock:
            return None if self._numbers is None else self._numbers.getrandbits(DRAWN_BITS)


PROGRAM = Seeds()
"""Those of this program, as Transformers has them: what sets them knows of no pipeline."""


def set_seed(seed: int, deterministic: bool = False) -> None:  # noqa: FBT001, FBT002, ARG001
    """Let all pipelines of this program draw from ``seed`` what no call gives a ``seed`` for.

    The same calls in the same order then give the same answers. ``deterministic`` changes nothing:
    what is drawn here always is.
    """
    if seed_of(seed) is None:
        raise InvalidRequestError("seed", seed, "a whole number")
    PROGRAM.begin(seed)
