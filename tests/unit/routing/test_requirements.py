from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import NoCandidateError
from llm_runner_router.preferences import Requirements, Routing
from llm_runner_router.registry.records import ModelConfig, Pricing
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolChoice, ToolMode
from llm_runner_router.types import Request
from unit.routing.market import Market, local, remote


def small(tokens: int | None) -> ModelConfig:
    return ModelConfig(context_length=tokens)


MODELS = (
    remote("cheap", pricing=Pricing(1.0, 2.0), quality=0.4, capabilities=("text", "vision")),
    remote("dear", pricing=Pricing(100.0, 200.0), quality=0.9, config=small(100)),
    remote("unpriced"),
    local("own", quality=0.2, config=small(4096), capabilities=("text",)),
)


def market() -> Market:
    found = Market(*MODELS)
    found.observe("dear", 800.0)
    return found


def asked(prompt: str = "hello", **requirements: Any) -> Request:
    return Request(prompt=prompt, routing=Routing(requirements=Requirements(**requirements)))


CASES: list[tuple[Request, Mapping[str, str]]] = [
    (asked(), {}),
    (
        asked(capabilities=("vision",)),
        dict.fromkeys(("dear", "own", "unpriced"), "lacks vision"),
    ),
    (
        asked(max_cost_usd=0.001),
        {
            "dear": "would cost about 0.0514 USD, more than 0.001",
            "unpriced": "its price is unknown",
        },
    ),
    (
        asked(max_latency_ms=500.0),
        {"dear": "takes about 800 ms to its first token, more than 500"},
    ),
    (
        asked(min_quality=0.4),
        {"own": "its quality of 0.2 is below 0.4", "unpriced": "has no declared quality"},
    ),
    (
        asked(local_only=True),
        dict.fromkeys(("cheap", "dear", "unpriced"), "does not run in this service"),
    ),
    (
        asked(context_length=5000),
        {
            "dear": "its context of 100 tokens is shorter than 5000",
            "own": "its context of 4096 tokens is shorter than 5000",
        },
    ),
    (asked("x" * 396), {}),
    (asked("x" * 397), {"dear": "its context of 100 tokens is shorter than 101"}),
    (
        Request(prompt="x" * 40, max_tokens=91),
        {"dear": "its context of 100 tokens is shorter than 101"},
    ),
    (Request(prompt="x" * 40, max_tokens=90), {}),
    (Request(prompt="x", tools=(Tool("f"),)), {"own": "tools are not offered by local models"}),
    (Request(prompt="x", tools=(Tool("f"),), tool_choice=ToolChoice(ToolMode.NONE)), {}),
    (
        Request(prompt="x", response_format=ResponseFormat(FormatKind.JSON)),
        {"own": "JSON answers are not offered by local models"},
    ),
    (Request(prompt="x", response_format=ResponseFormat()), {}),
]


@pytest.mark.parametrize(("request_", "excluded"), CASES)
def test_who_is_out_and_why(request_: Request, excluded: Mapping[str, str]) -> None:
    decision = market().plan(request_, explain=True).decision
    assert {found.model: found.reason for found in decision.excluded} == excluded
    candidates = {found.model for found in decision.candidates}
    assert candidates == {model.id for model in MODELS} - set(excluded)


def test_all_reasons_of_a_model_are_told() -> None:
    with pytest.raises(NoCandidateError) as caught:
        market().plan(asked(capabilities=("audio", "smell"), min_quality=0.9))
    assert caught.value.excluded["own"] == (
        "lacks audio; lacks smell; its quality of 0.2 is below 0.9"
    )
    assert set(caught.value.excluded) == {model.id for model in MODELS}


MAYBE = st.none() | st.floats(0, 1)


@given(
    quality=st.lists(MAYBE, min_size=1, max_size=6),
    wanted=st.builds(Requirements, min_quality=MAYBE, max_cost_usd=MAYBE, local_only=st.booleans()),
    open_circuits=st.sets(st.integers(0, 5)),
)
def test_every_model_is_a_candidate_or_excluded_with_a_reason(
    quality: list[float | None], wanted: Requirements, open_circuits: set[int]
) -> None:
    models = [
        (local if row % 2 else remote)(f"m{row}", quality=value)
        for row, value in enumerate(quality)
    ]
    found = Market(*models, local("fine", quality=1.0))
    found.around.open = {f"m{row}" for row in open_circuits}
    request = Request(prompt="x", routing=Routing(requirements=wanted))
    decision = found.plan(request, explain=True).decision
    told = [each.model for each in (*decision.candidates, *decision.excluded)]
    assert sorted(told) == sorted(found.store.records)
    assert all(each.reason for each in decision.excluded)
