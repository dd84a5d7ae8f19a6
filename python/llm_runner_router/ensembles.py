"""Several models asked at once, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from llm_runner_router.errors import RouterError
from llm_runner_router.types import Request, Response


class Aggregation(StrEnum):
    """How one answer comes out of several."""

    FIRST = "first"  # the first that is whole; the others are cancelled
    MAJORITY = "majority"  # the answer that most models gave
    WEIGHTED = "weighted"  # the answer with the greatest sum of weights
    BEST_OF = "best-of"  # the answer that the judge picks


@dataclass(frozen=True, slots=True)
class Member:
    """A model (id or alias) of an ensemble; ``weight`` counts in WEIGHTED and breaks ties."""

    model: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class EnsembleRequest:
    """``request`` (without a model) for each member; ``judge`` with BEST_OF.

    Fewer than ``minimum`` answers fail the whole.
    """

    request: Request
    members: Sequence[Member]
    aggregation: Aggregation = Aggregation.MAJORITY
    judge: str | None = None
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class MemberResult:
    """What became of a member: a response or an error; ``score`` is what the choice rests on."""

    model: str
    response: Response | None = None
    error: RouterError | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class EnsembleResponse:
    """The answer that was chosen, with the cost of all, and every member's in their order."""

    response: Response
    members: Sequence[MemberResult]
