"""The clock alone, and over real residents in ``test_idle_models``."""

from __future__ import annotations

import asyncio

from llm_runner_router.registry.memory.idle_clock import IdleClock
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat
from unit.virtual_time import in_virtual_time, leftovers


class Watch:
    """A clock and what it has let go."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.expired: list[Resident] = []
        self.clock = IdleClock(lambda _: self.timeout, self.expired.append)
        self.resident = Resident(ModelRecord("m", "", ModelFormat.GGUF, "m.gguf"))


@in_virtual_time
async def test_it_counts_from_the_last_use() -> None:
    watch = Watch(10)
    await asyncio.sleep(5)
    watch.resident.used_at = 3
    watch.clock.start(watch.resident)
    await asyncio.sleep(7.9)
    assert watch.expired == []
    await asyncio.sleep(0.2)
    assert watch.expired == [watch.resident]
    assert leftovers() == ([], [])


@in_virtual_time
async def test_use_stops_it() -> None:
    watch = Watch(10)
    watch.clock.start(watch.resident)
    await asyncio.sleep(9)
    watch.clock.stop(watch.resident)
    assert leftovers() == ([], [])
    await asyncio.sleep(9)
    assert watch.expired == []


@in_virtual_time
async def test_zero_means_never() -> None:
    watch = Watch(0)
    watch.clock.start(watch.resident)
    await asyncio.sleep(10**5)
    assert watch.expired == []


@in_virtual_time
async def test_a_new_timeout_holds_at_once() -> None:
    watch = Watch(100)
    watch.clock.start(watch.resident)
    await asyncio.sleep(10)
    watch.timeout = 5
    watch.clock.refresh()
    await asyncio.sleep(0.001)
    assert watch.expired == [watch.resident]
    never = Watch(0)
    never.clock.start(never.resident)
    never.timeout = 5
    never.clock.refresh()
    await asyncio.sleep(5.001)
    assert never.expired == [never.resident]


@in_virtual_time
async def test_a_longer_timeout_holds_though_nobody_said_so() -> None:
    watch = Watch(10)
    watch.clock.start(watch.resident)
    watch.timeout = 20
    await asyncio.sleep(19)
    assert watch.expired == []
    await asyncio.sleep(1.001)
    assert watch.expired == [watch.resident]
