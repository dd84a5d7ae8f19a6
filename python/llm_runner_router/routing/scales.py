"""How columns become shares from 0, the worst, to 1, the best."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Unknown = Callable[[], Floats | float]
"""What stands in place of NaN; asked only where there is any."""


def rising(column: Floats, unknown: Unknown) -> Floats:
    """1 for the greatest, 0 for the least, 1 for all where they are equal; NaN: ``unknown``."""
    least, greatest = extremes(column)
    if math.isnan(least):
        return with_unknown(rising, column, unknown)
    if least == greatest:
        return np.ones(len(column))
    shares = column - least
    shares /= greatest - least
    return shares


def falling(column: Floats, unknown: Unknown) -> Floats:
    """1 for the least, 0 for the greatest, 1 for all where they are equal; NaN: ``unknown``."""
    least, greatest = extremes(column)
    if math.isnan(least):
        return with_unknown(falling, column, unknown)
    if least == greatest:
        return np.ones(len(column))
    shares = greatest - column
    shares /= greatest - least
    return shares


def extremes(column: Floats) -> tuple[float, float]:
    """The least and the greatest; both NaN where any is."""
    # Their positions are found several times faster than themselves.
    return column.item(column.argmin()), column.item(column.argmax())


def with_unknown(
    scaled: Callable[[Floats, Unknown], Floats], column: Floats, unknown: Unknown
) -> Floats:
    """The known values scaled among themselves, ``unknown`` in place of the others."""
    known = ~np.isnan(column)
    result = np.full(len(column), unknown())
    if known.any():
        result[known] = scaled(column[known], middling)
    return result


def middling() -> float:
    """Neither good nor bad."""
    return 0.5
