from __future__ import annotations

import asyncio

from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.records import LoadProgress, ModelRecord
from llm_runner_router.types import ModelFormat
from unit.virtual_time import in_virtual_time, leftovers, now


def resident(seconds: float = 0.0) -> Resident:
    """One whose load takes ``seconds``."""

    async def load() -> Provider:
        await asyncio.sleep(seconds)
        return EchoProvider()

    made = Resident(ModelRecord("m", "", ModelFormat.GGUF, "m.gguf"))
    made.loading = asyncio.ensure_future(load())
    return made


@in_virtual_time
async def test_listeners_are_told_while_they_wait_and_nothing_falls() -> None:
    loading = resident()
    first: list[LoadProgress] = []
    second: list[LoadProgress] = []
    with loading.awaited(first.append):
        loading.report(LoadProgress("model", 0.6))
        with loading.awaited(second.append), loading.awaited(None):
            assert loading.waiting == 3
            loading.report(LoadProgress("model", 0.2))
    loading.report(LoadProgress("model", 1.0))
    assert loading.waiting == 0
    assert first == second == [LoadProgress("model", 0.6), LoadProgress("model", 0.6)]


@in_virtual_time
async def test_it_is_settled_once_it_is_loaded_and_nobody_waits() -> None:
    loading = resident(1.0)
    with loading.awaited(None):
        assert loading.provider is None
        await asyncio.wait([loading.loading])
        assert loading.provider is not None
        assert not loading.settled
    assert loading.settled


@in_virtual_time
async def test_it_is_unused_when_the_last_user_has_left() -> None:
    used = resident()
    await asyncio.sleep(5)
    used.loaded()
    used.enter()
    used.enter()
    await asyncio.sleep(5)
    used.leave()
    assert not used.unused.is_set()
    assert used.used_at == 5
    used.leave()
    assert used.unused.is_set()
    assert (used.loaded_at, used.used_at) == (5, 10)


@in_virtual_time
async def test_a_load_is_cancelled_once() -> None:
    cancelled = asyncio.Event()

    async def load() -> Provider:
        try:
            await asyncio.sleep(10)
        finally:
            cancelled.set()
            await asyncio.sleep(1)  # a second cancellation would come in here
        raise AssertionError

    loading = resident()
    loading.loading = asyncio.ensure_future(load())
    await asyncio.sleep(0)
    loading.give_up()
    await cancelled.wait()
    loading.end()
    await asyncio.wait([loading.loading])
    assert now() == 1
    assert loading.loading.cancelled()


@in_virtual_time
async def test_the_earliest_end_holds_until_it_is_gone() -> None:
    used = resident()
    used.enter()
    used.end_in(50)
    used.end_in(5)
    used.end_in(20)
    await used.unused.wait()
    assert now() == 5
    used.vanish()
    assert used.gone.is_set()
    other = resident()
    other.end_in(5)
    other.vanish()
    assert leftovers()[0] == []
