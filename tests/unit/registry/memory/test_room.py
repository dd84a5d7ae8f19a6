from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import OverloadedError
from llm_runner_router.registry.memory.residency_rules import ResidencyLimits, ResidencyRules
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.memory.room import MemoryRoom
from llm_runner_router.registry.records import MemoryEstimate
from unit.registry.memory.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine
from unit.virtual_time import in_virtual_time


@in_virtual_time
async def test_what_fits_stays_and_is_counted() -> None:
    machine = Machine(100, a=40, b=60)
    load = asyncio.ensure_future(machine.load("a"))
    await asyncio.sleep(LOAD_SECONDS / 2)
    assert machine.residency.bytes("a") == 40  # from the beginning of the load
    await load
    await machine.load("b")
    assert machine.loaded() == ["a", "b"]
    assert machine.residency.memory() == (100, 100)
    assert machine.residency.bytes("b") == 60
    await machine.residency.unload("a")
    assert machine.residency.memory() == (60, 100)
    assert machine.residency.bytes("a") == 0
    await machine.close()


@in_virtual_time
async def test_the_product_of_bytes_and_idle_time_decides() -> None:
    machine = Machine(100, old=20, large=60, new=20, other=20)
    await machine.load("old")
    await asyncio.sleep(10)
    await machine.load("large")
    await asyncio.sleep(5)
    await machine.load("new")
    await machine.load("other")  # 20 * 16, 60 * 5.5, 20 * 0
    assert machine.loaded() == ["new", "old", "other"]
    await asyncio.sleep(1)
    await machine.load("large")  # of 60, 40 are free: "old" is enough
    assert machine.loaded() == ["large", "new", "other"]
    await machine.close()


@in_virtual_time
async def test_a_small_model_that_nobody_has_used_for_long_goes_before_a_large_one() -> None:
    machine = Machine(100, small=30, large=70, wanted=30)
    await machine.load("small")
    await asyncio.sleep(100)
    await machine.load("large", "wanted")
    assert machine.loaded() == ["large", "wanted"]
    await machine.close()


@in_virtual_time
async def test_no_more_go_than_need_be() -> None:
    machine = Machine(100, small=10, large=80, wanted=70)
    await machine.load("small")
    await asyncio.sleep(100)
    await machine.load("large")
    await machine.load("wanted")  # the product of "small" is larger, but it is not needed
    assert machine.loaded() == ["small", "wanted"]
    await machine.close()


@in_virtual_time
async def test_a_running_request_keeps_its_model_and_idle_ones_go() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    request = await machine.request("a")
    await asyncio.sleep(100)
    await machine.load("b")
    await machine.load("c")
    assert machine.loaded() == ["a", "c"]
    await request.end()
    assert machine.loader.loads == ["a", "b", "c"]
    await machine.close()


@in_virtual_time
async def test_pinned_models_stay_and_can_be_unloaded() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    machine.configure("a", pinned=True)
    await machine.load("a")
    await asyncio.sleep(100)
    await machine.load("b", "c")
    assert machine.loaded() == ["a", "c"]
    await machine.residency.unload("a")
    assert machine.loaded() == ["c"]
    await machine.close()


@in_virtual_time
async def test_what_can_never_fit_is_refused_with_the_numbers() -> None:
    machine = Machine(100, pin=30, other=20, huge=80, larger=101)
    with pytest.raises(OverloadedError, match=r"needs 101 B of memory .* limit of 100 B"):
        await machine.load("larger")
    machine.configure("pin", pinned=True)
    await machine.load("pin", "other")
    with pytest.raises(OverloadedError) as caught:
        await machine.load("huge")
    assert caught.value.reason == "MEMORY"
    assert caught.value.retry_after > 0
    assert "needs 80 B" in caught.value.message
    assert "pinned models take 30 B ('pin' 30 B), others 20 B ('other' 20 B)" in (
        caught.value.message
    )
    assert machine.loaded() == ["other", "pin"]
    machine.configure("pin", pinned=False)
    await machine.load("huge")
    await machine.close()


@in_virtual_time
async def test_what_a_model_takes_in_fact_corrects_the_account() -> None:
    machine = Machine(100, a=50, b=50)
    machine.loader.actual = {"a": 20, "b": 60}
    await machine.load("a")
    assert machine.residency.memory().used == 20
    await asyncio.sleep(1)
    await machine.load("b")
    assert machine.residency.memory().used == 80
    machine.loader.actual["b"] = 90
    await machine.residency.unload("b")
    await machine.load("b")  # together too much: who is idle goes
    await asyncio.sleep(CLOSE_SECONDS * 2)
    assert machine.residency.memory().used == 90
    assert machine.loaded() == ["b"]
    await machine.close()


@in_virtual_time
async def test_a_lower_limit_sends_idle_models_away() -> None:
    machine = Machine(100, a=40, b=40, c=20)
    await machine.load("a", "b")
    running = await machine.request("c")
    machine.limit = 60
    machine.residency.refresh()
    await asyncio.sleep(CLOSE_SECONDS * 2)
    assert machine.loaded() == ["b", "c"]
    machine.limit = 10
    machine.residency.refresh()
    await asyncio.sleep(CLOSE_SECONDS * 2)
    assert machine.loaded() == ["c"]  # it is in use, and goes as soon as it is not
    await running.end()
    await asyncio.sleep(CLOSE_SECONDS * 2)
    assert machine.loaded() == []
    await machine.close()


@in_virtual_time
async def test_while_an_idle_model_is_closed_no_other_goes() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    await machine.load("a", "b")
    load = asyncio.ensure_future(machine.load("c"))
    await asyncio.sleep(CLOSE_SECONDS / 2)
    assert machine.loaded() == ["b"]
    machine.residency.refresh()
    await load
    assert machine.loaded() == ["b", "c"]
    await machine.close()


@in_virtual_time
async def test_a_correction_alone_lets_the_next_in() -> None:
    limits = ResidencyLimits(lambda: 100)
    room = MemoryRoom(ResidencyRules(Machine(a=1, b=1).find, limits), lambda _: None)
    first, second = (Resident(record) for record in Machine(a=1, b=1).records.values())
    first.loading = second.loading = asyncio.get_running_loop().create_future()  # type: ignore[assignment]
    await room.claim(first, MemoryEstimate(weights=60))
    claim = asyncio.ensure_future(room.claim(second, MemoryEstimate(kv=50)))
    await asyncio.sleep(0.001)
    assert room.taken_by(second) == 0
    room.correct(first, 50)
    assert room.taken_by(second) == 50  # at once
    await claim
    assert room.use() == (100, 100)
