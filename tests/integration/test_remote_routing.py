"""What the Router and the Registry offer beyond answers passes a real server both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from integration.recording_backend import served
from llm_runner_router.backend import CallContext
from llm_runner_router.decision import (
    Attempt,
    CacheState,
    Decision,
    Exclusion,
    ScoredCandidate,
)
from llm_runner_router.ensembles import (
    Aggregation,
    EnsembleRequest,
    EnsembleResponse,
    Member,
    MemberResult,
)
from llm_runner_router.errors import (
    BudgetError,
    ConflictError,
    NoCandidateError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    ResourceNotFoundError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.preferences import Requirements, Routing, Strategy
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    PromptTemplate,
    UsageQuery,
    UsageRow,
)
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.tools import ToolCall
from llm_runner_router.types import FinishReason, Metrics, Request, Response

REQUEST = Request(
    prompt="why",
    model="fast",
    routing=Routing(Strategy.BALANCED, Requirements(("tools",), max_cost_usd=0.25)),
)
DECISION = Decision(
    "a",
    "balanced",
    (ScoredCandidate("a", 0.75, {"cost": 1.0, "speed": 0.5}), ScoredCandidate("b", 0.25)),
    (Exclusion("c", "no tools"),),
    ("b",),
)
RESPONSE = Response(
    "id",
    "because",
    "a",
    FinishReason.TOOL_CALLS,
    Metrics(3, 2, cost_usd=0.5),
    tool_calls=(ToolCall("1", "look_up", "{}"),),
    decision=replace(DECISION, excluded=()),
    attempts=(Attempt("b", "openai", "PROVIDER_FAILED", "broke off"), Attempt("a", "local")),
    cache=CacheState.MISS,
)
ENSEMBLE = EnsembleRequest(REQUEST, (Member("a"), Member("b", 2.0)), Aggregation.WEIGHTED)
ANSWERS = EnsembleResponse(RESPONSE, (MemberResult("a", RESPONSE, None, 1.0), MemberResult("b")))
QUERY = UsageQuery("2026-11-01", "2026-11-24", "alice")
ROWS = (
    UsageRow("2026-11-23", "alice", "a", 9, 1, 2**33, 5, 2**34, 7, 1.5, 0.25),
    UsageRow("2026-11-24", "alice", "a"),
)
ALIAS = Alias("fast", (AliasTarget("a", 2.0),), rules=(AliasRule("tier", ("gold",), "a"),))
TEMPLATE = PromptTemplate("t", "Say {what}", stop_tokens=("\n",))

ALICE = CallContext("alice")

Call = Callable[[RemoteBackend], Awaitable[object]]
CALLS: list[tuple[Call, str, tuple[object, ...], object]] = [
    (lambda r: r.process(REQUEST, ALICE), "process", (REQUEST, ALICE), RESPONSE),
    (lambda r: r.route(REQUEST, ALICE), "route", (REQUEST, ALICE), DECISION),
    (lambda r: r.feedback("id", 0.5, ALICE), "feedback", ("id", 0.5, ALICE), None),
    (lambda r: r.get_usage(QUERY), "get_usage", (QUERY,), ROWS),
    (
        lambda r: r.process_ensemble(ENSEMBLE, ALICE),
        "process_ensemble",
        (ENSEMBLE, ALICE),
        ANSWERS,
    ),
    (lambda r: r.set_alias(ALIAS), "set_alias", (ALIAS,), replace(ALIAS, etag="1")),
    (lambda r: r.get_alias("fast"), "get_alias", ("fast",), ALIAS),
    (lambda r: r.list_aliases(), "list_aliases", (), (ALIAS, replace(ALIAS, id="z"))),
    (lambda r: r.delete_alias("fast"), "delete_alias", ("fast",), None),
    (lambda r: r.set_template(TEMPLATE), "set_template", (TEMPLATE,), TEMPLATE),
    (lambda r: r.get_template("t"), "get_template", ("t",), TEMPLATE),
    (lambda r: r.list_templates(), "list_templates", (), (TEMPLATE,)),
    (lambda r: r.delete_template("t"), "delete_template", ("t",), None),
]


@pytest.mark.parametrize(("call", "name", "asked", "answer"), CALLS, ids=lambda v: str(v)[:20])
async def test_questions_and_answers_arrive_as_they_were(
    call: Call, name: str, asked: tuple[object, ...], answer: object
) -> None:
    async with served({name: answer}) as (backend, remote):
        assert await call(remote) == answer
        assert backend.calls == [(name, *asked)]


ERRORS = [
    NoCandidateError({"a": "no tools", "b": "too dear"}),
    BudgetError("caller alice, day", limit_usd=5.0, spent_usd=5.5, retry_after=60.0),
    RateLimitError("slow down", retry_after=2.5),
    ProviderFailedError("broke off"),
    ProviderRejectedError("the key is refused"),
    UnavailableError("left alone for a while", reason="CIRCUIT_OPEN"),
    ResourceNotFoundError("template", "t"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.reason)
async def test_errors_arrive_with_their_attempts(error: RouterError) -> None:
    error.attempts = (Attempt("a", "openai", "RATE_LIMITED"), Attempt("b:1", "local", "TIME_LIMIT"))
    async with served({"process": error}) as (_, remote):
        with pytest.raises(type(error)) as caught:
            await remote.process(REQUEST)
    assert str(caught.value) == str(error)
    assert caught.value.reason == error.reason
    told = [(attempt.model, attempt.outcome) for attempt in caught.value.attempts]
    assert told == [("a", "RATE_LIMITED"), ("b:1", "TIME_LIMIT")]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda r: r.set_alias(ALIAS), "set_alias"),
        (lambda r: r.delete_template("t"), "delete_template"),
        (lambda r: r.get_usage(QUERY), "get_usage"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_errors_of_the_registry_arrive(call: Call, name: str) -> None:
    async with served({name: ConflictError("it has changed since")}) as (_, remote):
        with pytest.raises(ConflictError, match="changed since"):
            await call(remote)
