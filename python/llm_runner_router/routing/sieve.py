"""The models of a pool, sorted into those that may answer a request and those that may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from llm_runner_router.errors import RouterError
from llm_runner_router.routing.availability import Availability
from llm_runner_router.routing.inquiry import Inquiry
from llm_runner_router.routing.pool import Pool
from llm_runner_router.routing.requirements import Check, checks, reasons
from llm_runner_router.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Sifted:
    """``candidates`` meet all ``requirements`` and are not ``hindered``.

    The checks are those of ``models``, the whole pool.
    """

    models: Sequence[str]
    candidates: Snapshot
    requirements: Sequence[Check]
    hindered: Mapping[str, RouterError]

    def excluded(self) -> dict[str, str]:
        """Why each of the others is none, in words."""
        unmet = reasons(self.models, self.requirements)
        return {model: error.message for model, error in self.hindered.items()} | dict(unmet)


class Sieve:
    """Sifts pools."""

    def __init__(self, availability: Availability) -> None:
        self._availability = availability

    def sift(self, pool: Pool, inquiry: Inquiry, shares: Mapping[str, float]) -> Sifted:
        """The pool's models for ``inquiry``; ``shares`` of its prompt that models have seen."""
        size = inquiry.prompt_tokens, inquiry.answer_tokens
        snapshot = pool.snapshot(*size, shares)
        found = checks(snapshot, inquiry)
        if found:
            met = np.logical_and.reduce([check.met for check in found])
            snapshot = snapshot if met.all() else snapshot.only(np.flatnonzero(met))
        ids, position = snapshot.ids, pool.roster.position
        hindered = self._availability.hindered(ids, position)
        if found or hindered:
            hindered = {model: hindered[model] for model in ids if model in hindered}
        if hindered:
            free = [position[model] for model in ids if model not in hindered]
            snapshot = snapshot.only(np.array(free, np.intp))
        return Sifted(pool.roster.ids, snapshot, found, hindered)
