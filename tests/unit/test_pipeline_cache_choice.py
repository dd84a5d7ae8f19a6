"""What is kept and shared never changes who answers, by when, or at whose expense."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.conversation_messages import Cancel, SessionMessage, Start
from llm_runner_router.decision import CacheState
from llm_runner_router.errors import RateLimitError, RouterError, TimeLimitError
from llm_runner_router.preferences import Routing, Strategy, TemplateUse
from llm_runner_router.providers.echo import EchoBehaviour
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget, PromptTemplate
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat, Request, Response
from unit.echoes import EchoLoader, collect, echo_runtime, leap, model, settle

ASK = Request(prompt="hello you", model="chat", temperature=0.0)
GOLD = replace(ASK, metadata={"tier": "gold"})
CALLERS = "pqrstuvw"


def alias(*models: str, **values: Any) -> Alias:
    return Alias("chat", tuple(AliasTarget(name) for name in models), **values)


def gold(name: str) -> tuple[AliasRule, ...]:
    return (AliasRule("tier", ("gold",), name),)


async def outcome(runtime: Runtime, request: Request) -> tuple[str, CacheState]:
    answer = await runtime.process(request)
    return answer.model_used, answer.cache


async def test_an_answer_of_a_model_that_the_template_does_not_suit_is_not_taken() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        await runtime.set_alias(alias("a", "b", strategy=Strategy.QUALITY_FIRST))
        await runtime.set_template(
            PromptTemplate("greeting", "hello {name}", model_compatibility=("b",))
        )
        assert await outcome(runtime, ASK) == ("a", CacheState.MISS)
        use = TemplateUse("greeting", {"name": "you"})
        suited = replace(ASK, prompt=None, template=use)
        assert await outcome(runtime, suited) == ("b", CacheState.MISS)
        assert await outcome(runtime, suited) == ("b", CacheState.HIT)


async def test_an_alias_that_has_changed_decides_anew() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        await runtime.set_alias(alias("a", "b", rules=gold("a")))
        assert await outcome(runtime, GOLD) == ("a", CacheState.MISS)
        await runtime.set_alias(alias("a", "b", rules=gold("b")))
        assert await outcome(runtime, GOLD) == ("b", CacheState.MISS)
        assert await outcome(runtime, GOLD) == ("b", CacheState.HIT)


async def test_what_the_model_of_a_rule_says_is_kept_too() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        await runtime.set_alias(alias("a", rules=gold("b")))
        assert await outcome(runtime, GOLD) == ("b", CacheState.MISS)
        assert await outcome(runtime, GOLD) == ("b", CacheState.HIT)


@pytest.mark.parametrize(
    ("values", "routing"),
    [
        ({"rules": gold("far")}, Routing()),
        ({"fallbacks": ("far",)}, Routing()),
        ({}, Routing(fallbacks=("far",))),
        ({}, Routing(fallback_to_capable=True)),
    ],
)
async def test_all_that_may_answer_must_answer_the_same_again(
    values: dict[str, Any], routing: Routing
) -> None:
    seeded = replace(GOLD, temperature=1.0, seed=3, routing=routing)
    far = replace(model("far"), format=ModelFormat.API, provider="echo")
    async with echo_runtime(models=("a",)) as runtime:
        await runtime.register_model(far)
        await runtime.set_alias(alias("a", **values))
        _, state = await outcome(runtime, seeded)
        assert state is CacheState.OFF
        await runtime.set_alias(alias("a"))
        _, state = await outcome(runtime, replace(seeded, routing=Routing()))
        assert state is CacheState.MISS


@pytest.mark.parametrize("where", ["request", "alias", "config"])
async def test_a_canary_split_holds_for_kept_answers(where: str) -> None:
    canary = Strategy.CANARY
    config = {"routing": {"strategy": canary}} if where == "config" else None
    wish = Routing(canary) if where == "request" else Routing()
    request = replace(ASK, routing=wish)
    async with echo_runtime(config, models=("a", "b")) as runtime:
        await runtime.set_alias(alias("a", "b", strategy=canary if where == "alias" else None))
        planned, met = {}, {}
        for caller in CALLERS:
            context = CallContext(caller)
            planned[caller] = (await runtime.route(request, context)).model
            met[caller] = (await runtime.process(request, context)).model_used
        assert met == planned
        assert set(met.values()) == {"a", "b"}
        tied = replace(request, routing=replace(wish, affinity="one"))
        states = [(await runtime.process(tied, CallContext(caller))).cache for caller in CALLERS]
        assert states == [CacheState.MISS, *[CacheState.HIT] * (len(CALLERS) - 1)]


async def test_nobody_loses_an_answer_to_the_deadline_of_another() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    request = replace(ASK, model=None)
    async with echo_runtime(loader=loader) as runtime:
        deadline = time.monotonic() + 20.0
        hasty = asyncio.ensure_future(runtime.process(request, CallContext(deadline=deadline)))
        await settle()
        patient = asyncio.ensure_future(runtime.process(request))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="the deadline passed"):
            await hasty
        for _ in range(9):
            loader.chunk_gate.release()
        assert (await patient).response == "hello you"


async def test_one_whose_deadline_is_a_little_later_shares_the_work() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    request = replace(ASK, model=None)
    async with echo_runtime(loader=loader) as runtime:
        deadline = time.monotonic() + 20.0
        hasty = asyncio.ensure_future(runtime.process(request, CallContext(deadline=deadline)))
        await settle()
        later = CallContext(deadline=deadline + 4.5)
        patient = asyncio.ensure_future(runtime.process(request, later))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="the deadline passed"):
            await hasty
        for _ in range(9):
            loader.chunk_gate.release()
        answer = await patient
        assert (answer.response, answer.cache) == ("hello you", CacheState.COALESCED)
        assert len(loader.providers["m"].calls) == 1


async def test_a_conversation_is_computed_for_itself_alone() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    request = replace(ASK, model=None)
    async with echo_runtime(loader=loader) as runtime:
        messages: asyncio.Queue[SessionMessage | None] = asyncio.Queue()

        async def session() -> None:
            async def said() -> AsyncIterator[SessionMessage]:
                while (message := await messages.get()) is not None:
                    yield message

            await collect(runtime.converse(said()))

        talk = asyncio.ensure_future(session())
        messages.put_nowait(Start("turn", request))
        await settle()
        other = asyncio.ensure_future(runtime.process(request))
        await settle()
        provider = loader.providers["m"]
        assert [call.hold for call in provider.calls] == [True, False]
        messages.put_nowait(Cancel("turn"))
        messages.put_nowait(None)
        await talk
        assert provider.running == {provider.calls[1].request_id}
        for _ in range(9):
            loader.chunk_gate.release()
        assert (await other).cache is CacheState.MISS


async def test_each_failure_tells_of_its_own_attempts() -> None:
    loader = EchoLoader(EchoBehaviour(failure="PROVIDER_FAILED", fail_after=1))
    loader.chunk_gate = asyncio.Semaphore(0)
    request = replace(ASK, model=None)
    async with echo_runtime(loader=loader) as runtime:
        asked = [asyncio.ensure_future(runtime.process(request)) for _ in range(3)]
        await settle()
        for _ in range(9):
            loader.chunk_gate.release()
        errors = await asyncio.gather(*asked, return_exceptions=True)
        tried = [len(error.attempts) for error in errors if isinstance(error, RouterError)]
        assert tried == [1, 0, 0]


async def shared(runtime: Runtime, loader: EchoLoader, request: Request) -> Response:
    """The answer that ``follower`` gets after the one who began it has left."""
    assert loader.chunk_gate is not None
    leader = runtime.process_stream(request, CallContext("leader"))
    await anext(leader)
    follower = asyncio.ensure_future(runtime.process(request, CallContext("follower")))
    await settle()
    await leader.aclose()
    for _ in range(99):
        loader.chunk_gate.release()
    return await follower


async def test_a_shared_answer_uses_up_tokens_and_a_kept_one_its_prompt_alone() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    limits = {"limits": {"eachCaller": {"tokensPerMinute": 40}}}
    request = Request(prompt="a b c d e f g h", temperature=0.0)
    async with echo_runtime(limits, loader) as runtime:
        answer = await shared(runtime, loader, request)
        assert answer.cache is CacheState.COALESCED
        assert answer.metrics.total_tokens == 30
        with pytest.raises(RateLimitError, match="has used 30 of 40 tokens"):
            await runtime.process(replace(request, prompt="x" * 80), CallContext("follower"))
        other = CallContext("other")
        assert (await runtime.process(request, other)).cache is CacheState.HIT
        with pytest.raises(RateLimitError, match="has used 4 of 40 tokens"):
            await runtime.process(replace(request, prompt="x" * 160), other)
