"""Ensembles from plain Python values, as LLMRouter accepts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.request_fields import RequestFields, request_of
from llm_runner_router.request_values import listed, made, word
from llm_runner_router.types import Request

Members = Sequence[str | Member | Mapping[str, Any]] | Mapping[str, float]
"""The models of an ensemble: ids, ids with their weights, or members."""

OF_THE_ENSEMBLE = frozenset({"aggregation", "judge", "minimum"})


class EnsembleFields(RequestFields, total=False):
    """Request's fields by keyword, and those of the ensemble."""

    aggregation: Aggregation | str
    judge: str | None
    minimum: int


def ensemble_of(
    prompt: str | Request | Mapping[str, Any] | None, members: Members, values: Mapping[str, Any]
) -> EnsembleRequest:
    """What is asked of whom."""
    request = {name: value for name, value in values.items() if name not in OF_THE_ENSEMBLE}
    chosen = {name: values[name] for name in OF_THE_ENSEMBLE & values.keys()}
    if "aggregation" in chosen:
        chosen["aggregation"] = word(Aggregation)(chosen["aggregation"], "aggregation")
    return EnsembleRequest(request_of(prompt, request), members_of(members), **chosen)


def members_of(values: Members) -> tuple[Member, ...]:
    """The models of an ensemble."""
    if isinstance(values, Mapping):
        return tuple(Member(model, weight) for model, weight in values.items())
    return listed(member_of)(values, "members")


def member_of(value: object, path: str) -> Member:
    """One model of an ensemble."""
    return Member(value) if isinstance(value, str) else made(Member, value, path)
