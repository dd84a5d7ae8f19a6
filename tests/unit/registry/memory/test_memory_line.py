"""Who waits for memory, over MemoryRoom: in order of arrival, while busy models are asked to go."""

from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import OverloadedError, UnavailableError
from llm_runner_router.registry.memory.room import MORE_PATIENCE, PATIENCE, WAITING
from llm_runner_router.registry.records import LoadProgress
from unit.registry.memory.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine, Request
from unit.virtual_time import in_virtual_time, now


async def start(machine: Machine, model: str) -> Request:
    """A request that waits for its model, and has nothing more to do for now."""
    request = Request(machine.residency, model)
    await asyncio.sleep(0.001)
    return request


@in_virtual_time
async def test_who_waits_is_refused_once_it_cannot_fit_any_more() -> None:
    machine = Machine(100, a=50, b=60)
    running = await machine.request("a")
    waiting = await start(machine, "b")
    machine.configure("a", pinned=True)
    with pytest.raises(OverloadedError, match="'a' 50 B"):
        await waiting.task
    await running.end()
    await machine.close()


@in_virtual_time
async def test_who_waits_is_told_so_and_gets_what_becomes_idle() -> None:
    machine = Machine(100, a=100, b=100)
    running = await machine.request("a")
    seen: list[LoadProgress] = []
    load = asyncio.ensure_future(machine.residency.load("b", seen.append))
    await asyncio.sleep(PATIENCE / 2)
    assert seen == [WAITING]
    late: list[LoadProgress] = []
    also = asyncio.ensure_future(machine.residency.load("b", late.append))
    await asyncio.sleep(0)
    assert late == [WAITING]  # and so is who comes later
    before = now()
    await running.end()
    await asyncio.gather(load, also)
    assert now() - before == pytest.approx(CLOSE_SECONDS + LOAD_SECONDS)
    assert [progress.phase for progress in seen] == ["waiting for memory", "model", "model"]
    assert machine.loaded() == ["b"]
    await machine.close()


@in_virtual_time
async def test_after_a_while_the_model_with_the_fewest_users_finishes_and_goes() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    requests = [await machine.request(model) for model in ("a", "b", "a")]
    waiting = await start(machine, "c")
    await asyncio.sleep(PATIENCE * 0.9)
    assert machine.loaded() == ["a", "b"]
    await asyncio.sleep(PATIENCE * 0.2)
    assert machine.loaded() == ["a"]  # "b" is leaving
    again = await start(machine, "b")
    await asyncio.sleep(100)
    assert not waiting.began.is_set()  # nobody's request is ended
    assert not again.began.is_set()
    await requests[1].end()
    await waiting.began.wait()
    assert not again.began.is_set()  # it comes after "c"
    await asyncio.sleep(PATIENCE * 3)
    await waiting.end()
    await again.began.wait()
    for request in [requests[0], requests[2], again]:
        await request.end()
    assert machine.loader.most == 100
    await machine.close()


@in_virtual_time
async def test_where_that_takes_long_the_next_is_asked_too() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    requests = [await machine.request(model) for model in ("a", "b", "b")]
    waiting = await start(machine, "c")
    await asyncio.sleep(PATIENCE * MORE_PATIENCE)
    assert machine.loaded() == ["b"]
    await asyncio.sleep(PATIENCE * 1.1)
    assert machine.loaded() == []
    await asyncio.sleep(1000)
    assert not waiting.began.is_set()
    await requests[1].end()
    await requests[2].end()
    await waiting.began.wait()
    assert not requests[0].task.done()
    await requests[0].end()
    await waiting.end()
    await machine.close()


@in_virtual_time
async def test_a_model_that_is_being_loaded_is_asked_once_it_is() -> None:
    machine = Machine(100, a=100, b=100)
    machine.loader.seconds = 5 * PATIENCE
    loading = await start(machine, "a")
    waiting = await start(machine, "b")
    await loading.began.wait()
    await asyncio.sleep(0.001)
    assert machine.loaded() == []  # its patience was over before
    await loading.end()
    await waiting.end()
    await machine.close()


@in_virtual_time
async def test_of_those_with_equally_many_users_the_one_loaded_first_goes() -> None:
    machine = Machine(100, a=50, b=50, c=50)
    requests = [await machine.request(model) for model in ("b", "a")]
    waiting = await start(machine, "c")
    await asyncio.sleep(PATIENCE * 1.1)
    assert machine.loaded() == ["a"]
    for request in [*requests, waiting]:
        await request.end()
    await machine.close()


@in_virtual_time
async def test_memory_is_given_in_the_order_of_arrival() -> None:
    machine = Machine(100, a=100, large=90, small=10)
    running = await machine.request("a")
    large = await start(machine, "large")
    small = await start(machine, "small")
    machine.limit = 110  # "small" would fit now, but is not first
    machine.residency.refresh()
    await asyncio.sleep(PATIENCE / 2)
    assert not small.began.is_set()
    await running.end()
    await large.began.wait()
    await small.began.wait()
    assert machine.loader.loads == ["a", "large", "small"]
    await large.end()
    await small.end()
    await machine.close()


@in_virtual_time
async def test_who_gives_up_lets_the_next_in_and_leaves_nothing() -> None:
    machine = Machine(100, a=60, large=90, small=40)
    running = await machine.request("a")
    large = await start(machine, "large")
    small = await start(machine, "small")
    large.task.cancel()
    await small.began.wait()
    assert machine.residency.bytes("large") == 0
    assert machine.loader.loads == ["a", "small"]
    await running.end()
    await small.end()
    await machine.close()


@in_virtual_time
async def test_giving_up_the_moment_it_is_let_in_gives_the_memory_back() -> None:
    machine = Machine(100, a=100, b=100)
    running = await machine.request("a")
    waiting = await start(machine, "b")
    machine.limit = 200
    machine.residency.refresh()
    assert machine.residency.bytes("b") == 100
    machine.residency._residents["b"].give_up()
    with pytest.raises(UnavailableError):
        await waiting.task
    assert machine.loader.loads == ["a"]
    assert machine.residency.memory().used == 100
    await running.end()
    await machine.close()


@in_virtual_time
async def test_several_busy_models_go_together_where_one_is_not_enough() -> None:
    machine = Machine(100, a=30, b=30, c=40, large=70)
    requests = [await machine.request(model) for model in ("a", "b", "c")]
    waiting = await start(machine, "large")
    await asyncio.sleep(PATIENCE * 1.1)
    assert machine.loaded() == ["b"]  # "a" alone is too small; of "a" and "c", both are needed
    for request in requests:
        await request.end()
    await waiting.began.wait()
    assert machine.loaded() == ["b", "large"]
    await waiting.end()
    await machine.close()


@in_virtual_time
async def test_a_model_that_was_just_loaded_answers_those_who_waited_for_it() -> None:
    machine = Machine(100, a=100, b=100)
    first = [Request(machine.residency, "a") for _ in range(3)]
    second = await start(machine, "b")
    loading = machine.residency._residents["a"].loading
    loading.add_done_callback(lambda _: machine.residency.refresh())  # before they have it
    await asyncio.sleep(PATIENCE * 5)
    assert all(request.began.is_set() for request in first)
    for request in first:
        await request.end()
    await second.began.wait()
    assert machine.loader.loads == ["a", "b"]
    await second.end()
    await machine.close()


@in_virtual_time
async def test_a_pinned_model_that_is_leaving_is_waited_for() -> None:
    machine = Machine(100, pin=50, wanted=60)
    machine.configure("pin", pinned=True)
    running = await machine.request("pin")
    unload = asyncio.ensure_future(machine.residency.unload("pin"))
    waiting = await start(machine, "wanted")
    await running.end()
    await unload
    await waiting.end()
    assert machine.loaded() == ["wanted"]
    await machine.close()


@in_virtual_time
async def test_what_is_leaving_counts_and_others_are_asked_beside_it() -> None:
    machine = Machine(100, a=50, b=50, wanted=100)
    requests = [await machine.request(model) for model in ("a", "b")]
    unload = asyncio.ensure_future(machine.residency.unload("a"))
    waiting = await start(machine, "wanted")
    await asyncio.sleep(PATIENCE * 0.9)
    assert machine.loaded() == ["b"]
    await asyncio.sleep(PATIENCE * 0.2)
    assert machine.loaded() == []  # not one after the other
    for request in [*requests, waiting]:
        await request.end()
    await unload
    await machine.close()
