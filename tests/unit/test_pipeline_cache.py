from __future__ import annotations

import asyncio
import time

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.decision import CacheState
from llm_runner_router.errors import TimeLimitError
from llm_runner_router.types import Complete, Request, Started
from unit.echoes import EchoLoader, collect, echo_runtime, leap, model

FIXED = Request(prompt="hello big world", temperature=0.0)


async def test_who_waits_for_the_answer_of_another_waits_until_its_own_deadline() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime({"performance": {"timeout": 3_600_000}}, loader) as runtime:
        first = runtime.process_stream(FIXED)
        await anext(first)
        deadline = time.monotonic() + 20.0
        second = asyncio.ensure_future(runtime.process(FIXED, CallContext(deadline=deadline)))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="the deadline passed before"):
            await second
        provider = loader.providers["m"]
        assert len(provider.calls) == 1
        assert provider.cancelled == []
        for _ in range(9):
            loader.chunk_gate.release()
        *_, last = await collect(first)
        assert isinstance(last, Complete)
        assert last.cache is CacheState.MISS


async def test_what_an_earlier_source_has_answered_is_no_answer_of_the_present_one() -> None:
    """A file stays in memory as it was loaded, until its next load."""
    async with echo_runtime() as runtime:
        await runtime.process(FIXED)
        await runtime.update_model(model("m", source="/other.gguf"), ["source"])
        states = [(await runtime.process(FIXED)).cache for _ in range(2)]
        await runtime.unload_model("m")
        states += [(await runtime.process(FIXED)).cache for _ in range(2)]
    assert states == [CacheState.MISS, CacheState.HIT] * 2


async def test_an_answer_out_of_the_cache_has_a_name_of_its_own() -> None:
    async with echo_runtime() as runtime:
        started = []
        for _ in range(2):
            first, *_ = await collect(runtime.process_stream(FIXED))
            assert isinstance(first, Started)
            assert first.answer_id == first.request_id
            await runtime.feedback(first.answer_id, 1.0)
            started.append(first.answer_id)
    assert len(set(started)) == 2


async def test_a_shared_answer_has_a_name_for_each_who_shares_it() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        streams = [runtime.process_stream(FIXED) for _ in range(2)]
        started = [await anext(stream) for stream in streams]
        for _ in range(9):
            loader.chunk_gate.release()
        ends = await asyncio.gather(*map(collect, streams))
    assert ends[1][-1].cache is CacheState.COALESCED
    assert [event.answer_id for event in started] == [event.request_id for event in started]
    assert started[0].answer_id != started[1].answer_id
