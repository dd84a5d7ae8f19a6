"""The limit of a record on requests at once, over the real residency."""

from __future__ import annotations

import asyncio

from llm_runner_router.errors import ModelNotFoundError
from unit.registry.memory.sized_models import Machine, Request
from unit.virtual_time import in_virtual_time


@in_virtual_time
async def test_requests_wait_in_order_and_changes_hold_at_once() -> None:
    machine = Machine(100, a=10)
    machine.limit_requests("a", 2)
    requests = [Request(machine.residency, "a") for _ in range(5)]
    await asyncio.sleep(10)
    assert [request.began.is_set() for request in requests] == [True, True, False, False, False]
    await requests[0].end()
    await asyncio.sleep(0.001)
    assert [request.began.is_set() for request in requests] == [True, True, True, False, False]
    machine.limit_requests("a", None)
    await asyncio.sleep(0.001)
    assert all(request.began.is_set() for request in requests)
    for request in requests[1:]:
        await request.end()
    await machine.close()


@in_virtual_time
async def test_loads_need_no_turn() -> None:
    machine = Machine(100, a=10)
    machine.limit_requests("a", 1)
    request = await machine.request("a")
    await machine.load("a")
    await request.end()
    await machine.close()


@in_virtual_time
async def test_who_waits_fails_once_the_model_is_gone() -> None:
    machine = Machine(100, a=10)
    machine.limit_requests("a", 1)
    running = await machine.request("a")
    waiting = Request(machine.residency, "a")
    await asyncio.sleep(1)
    del machine.records["a"]
    machine.residency.refresh()
    done, _ = await asyncio.wait([waiting.task])
    assert isinstance(done.pop().exception(), ModelNotFoundError)
    await running.end()
    await machine.close()
