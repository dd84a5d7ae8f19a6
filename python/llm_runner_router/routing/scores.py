"""Scores from 0 to 1 with their named parts, and how columns become such."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_runner_router.decision import ScoredCandidate
from llm_runner_router.routing.roster import Floats
from llm_runner_router.routing.snapshot import Rows, Snapshot

_WORTH_PARTING = 64  # from so many candidates on, finding the first few beats sorting all


@dataclass(frozen=True, slots=True)
class Scores:
    """A score for each candidate of a snapshot, and what it was made of; all from 0 to 1."""

    total: Floats
    parts: Mapping[str, Floats]

    def first(self, snapshot: Snapshot, count: int) -> Sequence[int]:
        """The best ``count`` candidates, best first; of equals the one that is measured least."""
        key = self.total + snapshot.novelty
        best: Rows | slice = slice(None)
        if count < len(key) >= _WORTH_PARTING:
            best = np.sort(key.argpartition(-count)[-count:])
        order = (-key[best]).argsort(kind="stable")[:count]
        found: list[int] = order.tolist() if isinstance(best, slice) else best[order].tolist()
        return found

    def candidate(self, model: str, index: int) -> ScoredCandidate:
        """The score of one candidate in plain numbers."""
        parts = {name: column.item(index) + 0.0 for name, column in self.parts.items()}
        return ScoredCandidate(model, self.total.item(index) + 0.0, parts)


def rising(column: Floats, unknown: Floats | float) -> Floats:
    """1 for the greatest, 0 for the least, 1 for all where they are equal; NaN: ``unknown``."""
    least, greatest = extremes(column)
    if math.isnan(least):
        return with_unknown(rising, column, unknown)
    return share_of_way(column, least, greatest)


def falling(column: Floats, unknown: Floats | float) -> Floats:
    """1 for the least, 0 for the greatest, 1 for all where they are equal; NaN: ``unknown``."""
    least, greatest = extremes(column)
    if math.isnan(least):
        return with_unknown(falling, column, unknown)
    return share_of_way(column, greatest, least)


def extremes(column: Floats) -> tuple[float, float]:
    """The least and the greatest; both NaN where any is."""
    # Their positions are found several times faster than themselves.
    return column.item(column.argmin()), column.item(column.argmax())


def share_of_way(column: Floats, worst: float, best: float) -> Floats:
    """How far each has come from the worst to the best."""
    if worst == best:
        return np.ones(len(column))
    shares = column - worst
    shares /= best - worst
    return shares


def with_unknown(
    scaled: Callable[[Floats, float], Floats], column: Floats, unknown: Floats | float
) -> Floats:
    """The known values scaled among themselves, ``unknown`` in place of the others."""
    known = ~np.isnan(column)
    result = np.full(len(column), unknown)
    if known.any():
        result[known] = scaled(column[known], 0.0)
    return result
