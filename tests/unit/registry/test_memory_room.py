from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import OverloadedError, UnavailableError
from llm_runner_router.registry.memory_room import MORE_PATIENCE, PATIENCE, WAITING
from llm_runner_router.registry.records import LoadProgress
from unit.registry.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine, Request
from unit.virtual_time import in_virtual_time, now


async def start(machine: Machine, model: str) -> Request:
    """A request that waits for its model, and has nothing more to do for now."""
    request = Request(machine.residency, model)
    await asyncio.sleep(0.001)
    return request


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
