"""Routing of a whole service as a client meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from integration.word_provider import Service, running
from llm_runner_router.backend import CallContext
from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.errors import (
    ModelNotFoundError,
    NoCandidateError,
    ResourceNotFoundError,
    RouterError,
)
from llm_runner_router.preferences import Requirements, Routing, Strategy, TemplateUse
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    PromptTemplate,
    UsageQuery,
)
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import Complete, Request, Started

BOTH = Alias("both", (AliasTarget("a"), AliasTarget("b")), Strategy.ROUND_ROBIN)
ALICE, BOB = CallContext("alice"), CallContext("bob")


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running(models=("a", "b")) as service:
        yield service


async def test_an_alias_stands_for_its_models(remote: RemoteBackend) -> None:
    kept = await remote.set_alias(BOTH)
    assert await remote.get_alias("both") == kept
    assert list(await remote.list_aliases()) == [kept]
    answers = [await remote.process(Request(prompt="x y", model="both")) for _ in range(4)]
    assert sorted(answer.model_used for answer in answers) == ["a", "a", "b", "b"]
    decision = answers[0].decision
    assert decision is not None
    assert (decision.model, decision.strategy) == (answers[0].model_used, "round-robin")
    assert [attempt.outcome for attempt in answers[0].attempts] == ["OK"]
    await remote.delete_alias("both")
    with pytest.raises(ModelNotFoundError):
        await remote.process(Request(prompt="x", model="both"))


async def test_the_decision_comes_before_the_answer(remote: RemoteBackend) -> None:
    await remote.set_alias(BOTH)
    events = [event async for event in remote.process_stream(Request(prompt="x", model="both"))]
    started, complete = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    assert started.decision is not None
    assert started.decision.model == started.model == complete.model_used
    assert [attempt.model for attempt in complete.attempts] == [complete.model_used]


async def test_a_rule_decides_by_metadata(remote: RemoteBackend) -> None:
    rules = (AliasRule("tier", ("gold",), "b"),)
    await remote.set_alias(Alias("tiers", (AliasTarget("a"),), rules=rules))
    gold = Request(prompt="x", model="tiers", metadata={"tier": "gold"})
    answer = await remote.process(gold)
    assert answer.model_used == "b"
    assert answer.decision is not None
    assert answer.decision.rule
    assert (await remote.process(Request(prompt="x", model="tiers"))).model_used == "a"


async def test_route_explains_and_runs_nothing(service: Service, remote: RemoteBackend) -> None:
    await remote.set_alias(BOTH)
    decision = await remote.route(Request(prompt="x", model="both"))
    assert {candidate.model for candidate in decision.candidates} == {"a", "b"}
    assert decision.model in {"a", "b"}
    assert service.provider.calls == []
    assert list(await remote.get_usage(UsageQuery())) == []


async def test_requirements_that_nobody_meets_say_why(remote: RemoteBackend) -> None:
    routing = Routing(requirements=Requirements(capabilities=("telepathy",)))
    with pytest.raises(NoCandidateError) as caught:
        await remote.process(Request(prompt="x", routing=routing))
    assert set(caught.value.excluded) == {"a", "b"}


async def test_a_template_makes_the_prompt(remote: RemoteBackend) -> None:
    kept = await remote.set_template(PromptTemplate("greet", "hello {name} !"))
    assert await remote.get_template("greet") == kept
    assert list(await remote.list_templates()) == [kept]
    use = TemplateUse("greet", {"name": "world"})
    answer = await remote.process(Request(model="a", template=use))
    assert answer.response.split() == ["hello", "world", "!"]
    with pytest.raises(RouterError, match="name"):
        await remote.process(Request(model="a", template=TemplateUse("greet")))
    await remote.delete_template("greet")
    with pytest.raises(ResourceNotFoundError) as caught:
        await remote.process(Request(model="a", template=use))
    assert caught.value.kind == "template"


async def test_usage_is_told_by_caller_and_model(remote: RemoteBackend) -> None:
    await remote.process(Request(prompt="one two three", model="a"), ALICE)
    await remote.process(Request(prompt="one", model="a"), ALICE)
    await remote.process(Request(prompt="one", model="b"), BOB)
    rows = await remote.get_usage(UsageQuery())
    assert [(row.caller, row.model, row.requests) for row in rows] == [
        ("alice", "a", 2),
        ("bob", "b", 1),
    ]
    assert (rows[0].prompt_tokens, rows[0].completion_tokens) == (4, 4)
    assert list(await remote.get_usage(UsageQuery(caller="bob"))) == [rows[1]]


async def test_feedback_is_for_answers_of_the_caller(remote: RemoteBackend) -> None:
    answer = await remote.process(Request(prompt="x", model="a"), ALICE)
    for request_id, context in ((answer.request_id, BOB), ("unheard of", ALICE)):
        with pytest.raises(ResourceNotFoundError):
            await remote.feedback(request_id, 1.0, context)
    await remote.feedback(answer.request_id, 1.0, ALICE)
    with pytest.raises(RouterError, match="score"):
        await remote.feedback(answer.request_id, 1.5, ALICE)


async def test_an_ensemble_tells_what_became_of_each(remote: RemoteBackend) -> None:
    members = (Member("a"), Member("b"), Member("absent"))
    ensemble = EnsembleRequest(Request(prompt="x y"), members, Aggregation.MAJORITY)
    answer = await remote.process_ensemble(ensemble)
    assert answer.response.response.split() == ["x", "y"]
    assert [result.model for result in answer.members] == ["a", "b", "absent"]
    assert isinstance(answer.members[2].error, ModelNotFoundError)


async def test_the_status_counts_the_cache(remote: RemoteBackend) -> None:
    sure = Request(prompt="x", model="a", temperature=0.0)
    first, second = await remote.process(sure), await remote.process(sure)
    assert (first.cache, second.cache) == ("miss", "hit")
    counts = (await remote.get_status()).cache
    assert (counts.hits, counts.misses) == (1, 1)
