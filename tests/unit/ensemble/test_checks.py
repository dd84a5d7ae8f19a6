from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.ensemble.checks import MAX_MEMBERS, validate_ensemble
from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Request

GOOD = EnsembleRequest(Request(prompt="x"), [Member("a"), Member("b", 0.0)])
MANY = [Member(str(place)) for place in range(MAX_MEMBERS)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"members": MANY, "minimum": MAX_MEMBERS},
        {"members": [Member("a", 3)]},
        {"aggregation": Aggregation.BEST_OF, "judge": "a"},
        {"judge": ""},
        {"request": Request(prompt="x", model="")},
    ],
)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    validate_ensemble(replace(GOOD, **changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"request": Request(prompt="x", model="a")}, "request.model"),
        ({"members": []}, "members"),
        ({"members": "ab"}, "members"),
        ({"members": [*MANY, Member("more")]}, "members"),
        ({"members": [Member("")]}, "members[0].model"),
        ({"members": [Member("a"), Member("x" * 129)]}, "members[1].model"),
        ({"members": [Member("a"), Member("b"), Member("a")]}, "members[2].model"),
        ({"members": [Member("a"), Member("b", -0.1)]}, "members[1].weight"),
        ({"members": [Member("a", float("nan"))]}, "members[0].weight"),
        ({"members": [Member("a", float("inf"))]}, "members[0].weight"),
        ({"members": [Member("a", True)]}, "members[0].weight"),
        ({"members": [Member("a", 0.0), Member("b", 0.0)]}, "members"),
        ({"members": [Member("a", 1e308), Member("b", 1e308)]}, "members"),
        ({"aggregation": "median"}, "aggregation"),
        ({"aggregation": Aggregation.BEST_OF}, "judge"),
        ({"aggregation": Aggregation.BEST_OF, "judge": ""}, "judge"),
        ({"aggregation": Aggregation.FIRST, "judge": "j"}, "judge"),
        ({"minimum": 0}, "minimum"),
        ({"minimum": 3}, "minimum"),
        ({"minimum": True}, "minimum"),
        ({"minimum": 1.0}, "minimum"),
    ],
)
def test_what_is_not_allowed_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_ensemble(replace(GOOD, **changes))
    assert caught.value.field == field
