from __future__ import annotations

import asyncio
import time

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import (
    BudgetError,
    EngineError,
    InvalidRequestError,
    ModelNotFoundError,
    NoCandidateError,
    RateLimitError,
    TimeLimitError,
)
from llm_runner_router.preferences import TemplateUse
from llm_runner_router.providers.echo import EchoBehaviour
from llm_runner_router.registry.records import Pricing, PromptTemplate
from llm_runner_router.types import Chunk, Complete, FinishReason, Request, Started
from unit.echoes import EchoLoader, collect, echo_runtime, leap, model, settle, until

HELLO = Request(prompt="hello big world")


async def test_a_stream_is_started_chunks_complete() -> None:
    async with echo_runtime() as runtime:
        events = await collect(runtime.process_stream(HELLO))
    assert [type(event) for event in events] == [Started, Chunk, Chunk, Chunk, Complete]
    chunks = [event for event in events if isinstance(event, Chunk)]
    assert [chunk.sequence for chunk in chunks] == [0, 1, 2]
    assert "".join(chunk.text for chunk in chunks) == "hello big world"
    complete = events[-1]
    assert isinstance(complete, Complete)
    assert complete.model_used == "m"
    assert complete.finish_reason is FinishReason.STOP
    assert complete.metrics.total_tokens == 30
    assert complete.metrics.duration_ms >= complete.metrics.first_token_ms > 0


async def test_process_folds_the_stream() -> None:
    async with echo_runtime() as runtime:
        response = await runtime.process(Request(prompt="a b", logprobs=1, prompt_logprobs=0))
    assert response.response == "a b"
    assert response.token_ids == tuple(map(ord, "a b"))
    assert len(response.logprobs) == len(response.prompt_logprobs) == 3
    assert response.request_id


async def test_wrong_requests_take_no_permit() -> None:
    async with echo_runtime() as runtime:
        with pytest.raises(InvalidRequestError, match="temperature"):
            await runtime.process(Request(prompt="x", temperature=9))
        with pytest.raises(ModelNotFoundError, match="nobody"):
            await runtime.process(Request(prompt="x", model="nobody"))
        assert (await runtime.get_status()).running_requests == 0


async def test_the_permit_lives_as_long_as_the_stream() -> None:
    async with echo_runtime({"performance": {"maxConcurrent": 1}}) as runtime:
        stream = runtime.process_stream(HELLO)
        await anext(stream)
        second = asyncio.ensure_future(runtime.process(HELLO))
        await settle()
        status = await runtime.get_status()
        assert (status.running_requests, status.queued_requests) == (1, 1)
        await stream.aclose()
        assert (await second).response == "hello big world"


async def test_closing_a_stream_cancels_the_provider() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        stream = runtime.process_stream(HELLO)
        await anext(stream)
        await anext(stream)
        await stream.aclose()
        provider = loader.providers["m"]
        assert not provider.running
        assert len(provider.cancelled) == 1
        assert (await runtime.get_status()).running_requests == 0


async def test_cancelling_the_consumer_cancels_the_provider() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        task = asyncio.ensure_future(runtime.process(HELLO))
        await until(lambda: bool(loader.providers) and bool(loader.providers["m"].running))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(loader.providers["m"].cancelled) == 1
        assert (await runtime.get_status()).running_requests == 0


async def test_a_consumer_that_does_not_ask_pauses_its_request() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        stream = runtime.process_stream(Request(prompt="a b c d e f"))
        await anext(stream)
        await anext(stream)
        await settle()
        assert loader.providers["m"].deltas == 1
        await stream.aclose()


async def test_no_new_token_in_time_ends_the_request() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    async with echo_runtime({"performance": {"timeout": 1000}}, loader) as runtime:
        with pytest.raises(TimeLimitError, match=r"no new token for 1000 ms"):
            await runtime.process(HELLO)
        assert len(loader.providers["m"].cancelled) == 1


async def test_the_deadline_bounds_the_whole() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    async with echo_runtime({"performance": {"timeout": 3_600_000}}, loader) as runtime:
        deadline = time.monotonic() + 20.0
        answer = asyncio.ensure_future(runtime.process(HELLO, CallContext(deadline=deadline)))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="the deadline passed before"):
            await answer
        assert loader.providers["m"].calls[0].deadline is not None


async def test_the_deadline_bounds_loading() -> None:
    loader = EchoLoader()
    loader.gate = asyncio.Event()
    async with echo_runtime(loader=loader) as runtime:
        deadline = time.monotonic() + 20.0
        answer = asyncio.ensure_future(runtime.process(HELLO, CallContext(deadline=deadline)))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="while the model was loaded"):
            await answer
        await settle()
        assert loader.cancelled == 1


async def test_failures_of_the_provider_reach_the_caller() -> None:
    loader = EchoLoader(EchoBehaviour(failure=EngineError("broken"), fail_after=1))
    async with echo_runtime(loader=loader) as runtime:
        stream = runtime.process_stream(HELLO)
        assert isinstance(await anext(stream), Started)
        assert isinstance(await anext(stream), Chunk)
        with pytest.raises(EngineError, match="broken"):
            await anext(stream)
        assert (await runtime.get_status()).running_requests == 0


async def test_a_caller_is_charged_for_the_answer_too() -> None:
    limits = {"limits": {"callers": {"alice": {"tokensPerMinute": 30}}}}
    async with echo_runtime(limits) as runtime:
        answer = await runtime.process(HELLO, CallContext("alice"))
        assert answer.metrics.total_tokens == 30
        with pytest.raises(RateLimitError, match="has used 30 of 30 tokens"):
            await runtime.process(HELLO, CallContext("alice"))


async def test_a_template_leaves_the_models_that_it_suits() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        await runtime.set_template(PromptTemplate("t", "say {what}", model_compatibility=("b",)))
        use = TemplateUse("t", {"what": "hello"})
        with pytest.raises(NoCandidateError) as caught:
            await runtime.process(Request(template=use, model="a"))
        assert set(caught.value.excluded) == {"a"}
        answer = await runtime.process(Request(template=use, model="b"))
        assert (answer.model_used, answer.response) == ("b", "say hello")


async def test_a_budget_that_trips_while_a_request_waits_stops_it() -> None:
    config = {
        "performance": {"maxConcurrent": 1},
        "budgets": {"total": {"day": 1e-6}},
    }
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(config, loader, models=()) as runtime:
        await runtime.register_model(model("m", pricing=Pricing(input=1.0, output=1.0)))
        first = asyncio.ensure_future(runtime.process(HELLO))
        await until(lambda: bool(loader.providers) and bool(loader.providers["m"].running))
        second = asyncio.ensure_future(runtime.process(HELLO))
        await settle()
        for _ in range(20):
            loader.chunk_gate.release()
        assert (await first).metrics.cost_usd > 1e-6
        with pytest.raises(BudgetError):
            await second
        assert len(loader.providers["m"].calls) == 1
