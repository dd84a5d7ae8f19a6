"""Scores from 0 to 1 with their named parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_runner_router.decision import ScoredCandidate
from llm_runner_router.routing.scales import Floats
from llm_runner_router.routing.snapshot import Snapshot

_WORTH_PARTING = 64  # from so many candidates on, finding the first few beats sorting all


@dataclass(frozen=True, slots=True)
class Scores:
    """A score for each candidate of a snapshot, and what it was made of.

    All lie from 0 to 1; a total of several parts may be above by what was rounded.
    """

    total: Floats
    parts: Mapping[str, Floats]

    def first(self, snapshot: Snapshot, count: int) -> Sequence[int]:
        """The best ``count`` candidates, best first; of equals the one that is measured least."""
        badness = -self.total
        badness -= snapshot.novelty
        if not count < len(badness) >= _WORTH_PARTING:
            order: list[int] = badness.argsort(kind="stable")[:count].tolist()
            return order
        best = np.sort(badness.argpartition(count)[:count])
        found: list[int] = best[badness[best].argsort(kind="stable")].tolist()
        return found

    def candidate(self, model: str, index: int) -> ScoredCandidate:
        """The score of one candidate in plain numbers."""
        parts = {name: column.item(index) for name, column in self.parts.items()}
        return ScoredCandidate(model, min(1.0, self.total.item(index)), parts)
