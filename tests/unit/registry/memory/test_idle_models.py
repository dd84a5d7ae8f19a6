"""Models that nobody uses for a while leave by themselves."""

from __future__ import annotations

import asyncio

from unit.registry.memory.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine
from unit.virtual_time import in_virtual_time


async def later(seconds: float) -> None:
    """Until ``seconds`` have passed, and models that leave have left."""
    await asyncio.sleep(seconds + CLOSE_SECONDS * 1.5)


@in_virtual_time
async def test_a_model_without_requests_leaves_and_comes_back() -> None:
    machine = Machine(100, idle_timeout=60, a=10)
    request = await machine.request("a")
    await later(100)
    assert machine.loaded() == ["a"]
    await request.end()
    await asyncio.sleep(59)
    assert machine.loaded() == ["a"]
    again = await machine.request("a")  # counts anew
    await later(100)
    await again.end()
    await asyncio.sleep(59)
    assert machine.loaded() == ["a"]
    await later(2)
    assert machine.loaded() == []
    assert machine.residency.memory().used == 0
    await machine.load("a")
    await later(61)
    assert machine.loaded() == []
    await machine.close()


@in_virtual_time
async def test_the_record_comes_before_the_service() -> None:
    machine = Machine(100, idle_timeout=60, short=10, usual=10, never=10, pinned=10)
    machine.configure("short", idle_timeout=5.0)
    machine.configure("never", idle_timeout=0.0)
    machine.configure("pinned", idle_timeout=5.0, pinned=True)
    await machine.load("short", "usual", "never", "pinned")
    await later(6)
    assert machine.loaded() == ["never", "pinned", "usual"]
    await later(60)
    assert machine.loaded() == ["never", "pinned"]
    await machine.close()


@in_virtual_time
async def test_changes_hold_at_once() -> None:
    machine = Machine(100, a=10, b=10)
    machine.configure("b", pinned=True)
    await machine.load("a", "b")
    await later(100)
    machine.configure("a", idle_timeout=50.0)
    machine.configure("b", pinned=False)
    await later(0)
    assert machine.loaded() == ["b"]
    machine.idle_timeout = 10.0
    machine.residency.refresh()
    await later(0)
    assert machine.loaded() == []
    await machine.close()


@in_virtual_time
async def test_a_model_that_is_not_registered_any_more_leaves_like_others() -> None:
    machine = Machine(100, idle_timeout=60, a=10)
    await machine.load("a")
    del machine.records["a"]
    await later(61)
    assert machine.residency.memory().used == 0
    await machine.close()


@in_virtual_time
async def test_a_load_that_all_gave_up_as_it_ended_is_idle() -> None:
    machine = Machine(100, idle_timeout=60, a=10)
    load = asyncio.ensure_future(machine.load("a"))
    await asyncio.sleep(LOAD_SECONDS / 2)
    machine.residency._residents["a"].loading.add_done_callback(lambda _: load.cancel())
    await asyncio.wait([load])
    assert load.cancelled()
    assert machine.loaded() == ["a"]
    await later(61)
    assert machine.loaded() == []
    await machine.close()
