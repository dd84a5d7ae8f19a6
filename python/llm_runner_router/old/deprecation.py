"""Telling of old names, at the line of whoever uses them."""

from __future__ import annotations

import inspect
import warnings
from types import FrameType

PACKAGE = __name__.partition(".")[0]


def warn_old(old: str, new: str) -> None:
    """DeprecationWarning that ``old`` is to be replaced by ``new``, at the caller of this package.

    What runs in a task of its own has no caller any more: the event loop stands in its place.
    """
    message = f"{old} is deprecated: use {new}"
    warnings.warn(message, DeprecationWarning, stacklevel=level_outside())


def level_outside() -> int:
    """How far the first frame outside of this package is from the caller of this function."""
    level, frame = 0, inspect.currentframe()
    while frame is not None and is_ours(frame):
        level, frame = level + 1, frame.f_back
    return level


def is_ours(frame: FrameType) -> bool:
    """Whether a frame runs code of this package."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE
