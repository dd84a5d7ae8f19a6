"""Why a model answers, and what the cache of answers did."""

from __future__ import annotations

from llm_runner_router.decision import CacheState, Decision, Exclusion, ScoredCandidate
from llm_runner_router.v1 import types_pb2
from llm_runner_router.wire.words import Words

CACHE_STATES = Words(
    {
        types_pb2.CACHE_STATE_UNSPECIFIED: CacheState.OFF,
        types_pb2.CACHE_STATE_MISS: CacheState.MISS,
        types_pb2.CACHE_STATE_HIT: CacheState.HIT,
        types_pb2.CACHE_STATE_COALESCED: CacheState.COALESCED,
        types_pb2.CACHE_STATE_REFRESHED: CacheState.REFRESHED,
    }
)


def decision_to_wire(decision: Decision | None) -> types_pb2.Decision | None:
    """The choice of a model, where there was one."""
    if decision is None:
        return None
    return types_pb2.Decision(
        model=decision.model,
        strategy=decision.strategy,
        candidates=[
            types_pb2.ScoredCandidate(model=found.model, score=found.score, parts=found.parts)
            for found in decision.candidates
        ],
        excluded=[
            types_pb2.Exclusion(model=excluded.model, reason=excluded.reason)
            for excluded in decision.excluded
        ],
        fallbacks=decision.fallbacks,
        rule=decision.rule,
    )


def decision_from_wire(message: types_pb2.Decision) -> Decision:
    """The choice of a model."""
    return Decision(
        model=message.model,
        strategy=message.strategy,
        candidates=tuple(
            ScoredCandidate(found.model, found.score, dict(found.parts))
            for found in message.candidates
        ),
        excluded=tuple(Exclusion(excluded.model, excluded.reason) for excluded in message.excluded),
        fallbacks=tuple(message.fallbacks),
        rule=message.rule,
    )


def cache_state_to_wire(state: CacheState) -> types_pb2.CacheState:
    """What the cache did."""
    return CACHE_STATES.number(state, "cache")


def cache_state_from_wire(number: types_pb2.CacheState) -> CacheState:
    """What the cache did; a state of a later version counts as none."""
    return CACHE_STATES.word_or(number, CacheState.OFF)
