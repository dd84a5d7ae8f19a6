"""Why a model answers, and what was tried on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

SUCCEEDED = "OK"
"""The outcome of an attempt that answered; others carry the reason of their error."""


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """A model that could answer: its score from 0 to 1, and the named parts of it."""

    model: str
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A model that could not, and why, in words."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The choice of a model.

    ``strategy`` is empty where the request named one model and nothing was chosen, and ``cache``
    where the answer came out of the cache of answers or was shared. ``candidates`` stand best first
    and ``fallbacks`` in the order in which they would be tried; answers carry the first few
    candidates and no exclusions, Router.Route all. ``rule`` names the rule of an alias that
    decided.
    """

    model: str
    strategy: str = ""
    candidates: Sequence[ScoredCandidate] = ()
    excluded: Sequence[Exclusion] = ()
    fallbacks: Sequence[str] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one model. Times are milliseconds; ``started_ms`` counts from arrival."""

    model: str
    provider: str
    outcome: str = SUCCEEDED
    message: str = ""
    started_ms: float = 0.0
    duration_ms: float = 0.0
    cost_usd: float = 0.0
    hedged: bool = False


class CacheState(StrEnum):
    """What the cache of answers did for a request."""

    OFF = "off"
    MISS = "miss"
    HIT = "hit"
    COALESCED = "coalesced"  # an equal request was being computed: its answer was shared
    REFRESHED = "refreshed"
