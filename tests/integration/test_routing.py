"""Decisions, costs, budgets and the cache, through a real service and real providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from integration.routed_service import RoutedService, record_of, routed
from integration.upstreams.faults import drip
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.backend import CallContext
from llm_runner_router.decision import CacheState
from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.errors import (
    BudgetError,
    InvalidRequestError,
    NoCandidateError,
    RateLimitError,
    ResourceNotFoundError,
)
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.registry.records import AliasRule, PromptTemplate, UsageQuery
from llm_runner_router.types import Chunk, Complete, Request, Started

ASK = Request(prompt="a question of 20 ch.", model="all")
FIXED = replace(ASK, temperature=0.0)


@pytest_asyncio.fixture
async def servers() -> AsyncIterator[dict[str, OpenAIServer]]:
    async with OpenAIServer().running() as a, OpenAIServer().running() as b:
        b.words = ("four", " five")
        yield {"a": a, "b": b}


@pytest_asyncio.fixture
async def service(servers: dict[str, OpenAIServer]) -> AsyncIterator[RoutedService]:
    async with routed(servers) as service:
        yield service


async def test_route_explains_what_process_then_does(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    dear = record_of("dear", servers["a"], quality=1.0)
    await service.client.register_model(dear)
    await service.alias("split", ["a", "b", "dear"])
    wish = Routing(Strategy.QUALITY_FIRST, Requirements(min_quality=0.5))
    request = replace(ASK, model="split", routing=wish)
    decision = await service.client.route(request)
    assert decision.model == "dear"
    assert decision.strategy == "quality-first"
    assert decision.candidates[0].parts["quality"] == 1.0
    assert {excluded.model for excluded in decision.excluded} == {"a", "b"}
    assert all(excluded.reason for excluded in decision.excluded)
    assert servers["a"].served.requests == 0
    answer = await service.client.process(request)
    assert answer.decision is not None
    assert (answer.model_used, answer.decision.model) == ("dear", "dear")
    nobody = replace(wish, requirements=Requirements(local_only=True))
    with pytest.raises(NoCandidateError) as caught:
        await service.client.process(replace(request, routing=nobody))
    assert set(caught.value.excluded) >= {"'a'", "'b'"} or len(caught.value.excluded) == 3


async def test_a_rule_on_metadata_decides(service: RoutedService) -> None:
    await service.alias("ruled", ["a"], rules=(AliasRule("tier", ("gold",), "b"),))
    plain = replace(ASK, model="ruled")
    gold = replace(plain, metadata={"tier": "gold"})
    assert (await service.client.process(plain)).model_used == "a"
    assert (await service.client.process(gold)).model_used == "b"


async def test_feedback_reaches_the_model_that_answered(service: RoutedService) -> None:
    alice = CallContext("alice")
    answer = await service.client.process(ASK, alice)
    with pytest.raises(ResourceNotFoundError):
        await service.client.feedback(answer.request_id, 1.0, CallContext("mallory"))
    await service.client.feedback(answer.request_id, 0.25, alice)
    with pytest.raises(ResourceNotFoundError):
        await service.client.feedback("never", 1.0, alice)
    with pytest.raises(InvalidRequestError, match="score"):
        await service.client.feedback(answer.request_id, 7.0, alice)


async def test_usage_adds_up_by_caller_and_model(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    for caller, model in (("alice", "a"), ("alice", "b"), ("bob", "a")):
        await service.client.process(replace(ASK, model=model), CallContext(caller))
    rows = await service.client.get_usage(UsageQuery())
    assert {(row.caller, row.model, row.requests) for row in rows} == {
        ("alice", "a", 1),
        ("alice", "b", 1),
        ("bob", "a", 1),
    }
    billed = sum(server.cost_usd for server in servers.values())
    assert sum(row.cost_usd for row in rows) == pytest.approx(billed)
    alone = await service.client.get_usage(UsageQuery(caller="bob"))
    assert [row.completion_tokens for row in alone] == [3]


async def test_a_budget_that_trips_stops_the_next_request(servers: dict[str, OpenAIServer]) -> None:
    config = {"budgets": {"callers": {"alice": {"day": 1e-6}}}}
    async with routed(servers, config) as service:
        await service.client.process(ASK, CallContext("alice"))
        with pytest.raises(BudgetError) as caught:
            await service.client.process(ASK, CallContext("alice"))
        assert "alice" in caught.value.subject
        assert caught.value.limit_usd == pytest.approx(1e-6)
        assert caught.value.retry_after > 0
        await service.client.process(ASK, CallContext("bob"))


async def test_a_rate_limit_of_a_caller_holds(servers: dict[str, OpenAIServer]) -> None:
    config = {"limits": {"callers": {"alice": {"requestsPerMinute": 1}}}}
    async with routed(servers, config) as service:
        await service.client.process(ASK, CallContext("alice"))
        with pytest.raises(RateLimitError):
            await service.client.process(ASK, CallContext("alice"))
        await service.client.process(ASK, CallContext("bob"))


async def test_a_deterministic_answer_is_kept_and_replayed_as_a_stream(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    request = replace(FIXED, model="a")
    first = await service.client.process(request)
    events = [event async for event in service.client.process_stream(request)]
    assert servers["a"].served.requests == 1
    assert first.cache is CacheState.MISS
    started, *chunks, complete = events
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    assert started.request_id != first.request_id
    assert started.decision is not None
    assert "".join(c.text for c in chunks if isinstance(c, Chunk)) == "one two three"
    assert complete.cache is CacheState.HIT
    assert complete.metrics.cost_usd == 0
    assert complete.metrics.saved_cost_usd == pytest.approx(first.metrics.cost_usd)
    counts = (await service.client.get_status()).cache
    assert (counts.hits, counts.misses) == (1, 1)
    rows = await service.client.get_usage(UsageQuery())
    assert sum(row.saved_cost_usd for row in rows) == pytest.approx(first.metrics.cost_usd)


@pytest.mark.parametrize("mode", [CacheMode.BYPASS, CacheMode.REFRESH])
async def test_the_cache_can_be_passed_by(
    service: RoutedService, servers: dict[str, OpenAIServer], mode: CacheMode
) -> None:
    request = replace(FIXED, model="a")
    await service.client.process(request)
    again = await service.client.process(replace(request, cache=CacheControl(mode)))
    assert servers["a"].served.requests == 2
    assert again.cache is (CacheState.OFF if mode is CacheMode.BYPASS else CacheState.REFRESHED)


async def test_equal_requests_at_once_are_computed_once(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    gate = asyncio.Semaphore(0)
    servers["a"].inject(drip(gate))
    request = replace(FIXED, model="a")
    asked = [asyncio.ensure_future(service.client.process(request)) for _ in range(3)]
    await servers["a"].until(lambda server: server.streaming == 1)
    for _ in range(10):
        gate.release()
    answers = await asyncio.gather(*asked)
    assert servers["a"].served.requests == 1
    assert {answer.response for answer in answers} == {"one two three"}
    assert len({answer.request_id for answer in answers}) == 3
    states = [answer.cache for answer in answers]
    assert states.count(CacheState.MISS) == 1
    assert sum(answer.metrics.cost_usd for answer in answers) == pytest.approx(
        servers["a"].cost_usd
    )


async def test_an_alias_that_has_changed_is_not_answered_out_of_the_cache(
    service: RoutedService,
) -> None:
    gold = replace(FIXED, model="ruled", metadata={"tier": "gold"})
    said = []
    for target in "ab":
        await service.alias("ruled", ["a", "b"], rules=(AliasRule("tier", ("gold",), target),))
        said += [await service.client.process(gold) for _ in range(2)]
    assert [(answer.model_used, answer.cache) for answer in said] == [
        ("a", CacheState.MISS),
        ("a", CacheState.HIT),
        ("b", CacheState.MISS),
        ("b", CacheState.HIT),
    ]


async def test_a_template_makes_the_prompt(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    template = PromptTemplate("qa", "Q: {question}\nA:", "Q and A", ("Q:",), ("a*",))
    await service.client.set_template(template)
    use = TemplateUse("qa", {"question": "why?"})
    answer = await service.client.process(Request(template=use, model="all"))
    assert answer.model_used == "a"
    body = servers["a"].seen[0].body
    assert body["messages"] == [{"role": "user", "content": "Q: why?\nA:"}]
    assert body["stop"] == ["Q:"]
    with pytest.raises(InvalidRequestError, match="question"):
        await service.client.process(Request(template=TemplateUse("qa", {}), model="all"))
    with pytest.raises(ResourceNotFoundError):
        await service.client.process(Request(template=TemplateUse("absent", {}), model="all"))


async def test_an_ensemble_reports_partial_failures(
    service: RoutedService, servers: dict[str, OpenAIServer]
) -> None:
    await servers["b"].refuse()
    members = (Member("a"), Member("b"))
    wish = EnsembleRequest(replace(ASK, model=None), members, Aggregation.MAJORITY)
    answer = await service.client.process_ensemble(wish)
    assert answer.response.response == "one two three"
    assert answer.members[0].response is not None
    assert answer.members[1].error is not None
    assert answer.members[1].error.reason == "UNAVAILABLE"


async def test_a_key_is_never_shown(
    service: RoutedService, servers: dict[str, OpenAIServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_TEST", "sk-very-secret")
    record = record_of("keyed", servers["a"])
    record = replace(record, endpoint=replace(record.endpoint, api_key="env:SECRET_OF_THE_TEST"))
    view = await service.client.register_model(record)
    assert view.record.endpoint.api_key == "env:SECRET_OF_THE_TEST"
    await service.client.process(replace(ASK, model="keyed"))
    assert servers["a"].seen[-1].headers["Authorization"] == "Bearer sk-very-secret"
    literal = replace(record, id="l", endpoint=replace(record.endpoint, api_key="sk-very-secret"))
    with pytest.raises(InvalidRequestError) as caught:
        await service.client.register_model(literal)
    assert "very-secret" not in f"{caught.value!r} {caught.value.message}"
