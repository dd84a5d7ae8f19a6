from __future__ import annotations

import asyncio
import time

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.decision import CacheState
from llm_runner_router.errors import TimeLimitError
from llm_runner_router.types import Complete, Request
from unit.echoes import EchoLoader, collect, echo_runtime

FIXED = Request(prompt="hello big world", temperature=0.0)


async def test_who_waits_for_the_answer_of_another_waits_until_its_own_deadline() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime({"performance": {"timeout": 3_600_000}}, loader) as runtime:
        first = runtime.process_stream(FIXED)
        await anext(first)
        with pytest.raises(TimeLimitError, match="the deadline passed before"):
            await runtime.process(FIXED, CallContext(deadline=time.monotonic() + 0.05))
        provider = loader.providers["m"]
        assert len(provider.calls) == 1
        assert provider.cancelled == []
        for _ in range(9):
            loader.chunk_gate.release()
        *_, last = await collect(first)
        assert isinstance(last, Complete)
        assert last.cache is CacheState.MISS
