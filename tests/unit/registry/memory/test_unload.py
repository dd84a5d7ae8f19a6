"""Unloading with a deadline for what still runs, and closing."""

from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import UnavailableError
from llm_runner_router.providers.base import Call
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Request as Question
from unit.registry.memory.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine, Request
from unit.virtual_time import in_virtual_time, leftovers, now


@in_virtual_time
async def test_after_the_deadline_the_model_goes_whatever_runs() -> None:
    machine = Machine(100, a=10)
    request = await machine.request("a")
    before = now()
    unload = asyncio.ensure_future(machine.residency.unload("a", timeout=5))
    await asyncio.sleep(1)
    again = Request(machine.residency, "a")
    await unload
    assert now() - before == pytest.approx(5 + CLOSE_SECONDS)
    assert machine.residency.memory().used in (0, 10)
    await again.began.wait()
    assert now() - before == pytest.approx(5 + CLOSE_SECONDS + LOAD_SECONDS)
    await request.end()
    assert machine.residency.busy("a")
    await again.end()
    await machine.close()


@in_virtual_time
async def test_requests_that_end_before_the_deadline_are_not_ended() -> None:
    machine = Machine(100, a=10)
    request = await machine.request("a")
    unload = asyncio.ensure_future(machine.residency.unload("a", timeout=5))
    await asyncio.sleep(1)
    assert not unload.done()
    await request.end()
    await unload
    assert now() < 3
    assert leftovers() == ([], [])
    await machine.close()


@in_virtual_time
async def test_the_earliest_deadline_holds_and_who_set_it_may_leave() -> None:
    machine = Machine(100, a=10)
    request = await machine.request("a")
    before = now()
    patient = asyncio.ensure_future(machine.residency.unload("a", timeout=50))
    await asyncio.sleep(0)
    hasty = asyncio.ensure_future(machine.residency.unload("a", timeout=5))
    later = asyncio.ensure_future(machine.residency.unload("a", timeout=20))
    await asyncio.sleep(0)
    hasty.cancel()
    await asyncio.gather(patient, later)
    assert now() - before == pytest.approx(5 + CLOSE_SECONDS)
    assert leftovers()[0] == []
    await request.end()
    await machine.close()


@in_virtual_time
async def test_the_deadline_ends_a_load_too() -> None:
    machine = Machine(100, a=10, b=100)
    running = await machine.request("a")
    waiting = Request(machine.residency, "b")
    await asyncio.sleep(0.1)
    await machine.residency.unload("b", timeout=0.1)
    with pytest.raises(UnavailableError):
        await waiting.task
    assert machine.loader.loads == ["a"]
    await running.end()
    await machine.close()


class GatedLoader:
    """Loads an echo that says nothing until its gate opens."""

    def __init__(self) -> None:
        self.provider = EchoProvider(gate=asyncio.Semaphore(0))

    async def estimate(self, record: ModelRecord) -> None:
        del record

    async def load(self, record: ModelRecord, on_progress: object) -> EchoProvider:
        del record, on_progress
        return self.provider


@in_virtual_time
async def test_an_answer_that_is_ended_says_why() -> None:
    residency = Residency(GatedLoader(), lambda name: Machine(a=1).find(name))

    async def answer() -> None:
        async with residency.lease("a") as provider:
            async for _ in provider.generate(Call("r", Question(prompt="hello"))):
                pass

    answering = asyncio.ensure_future(answer())
    await asyncio.sleep(1)
    await residency.unload("a", timeout=1)
    with pytest.raises(UnavailableError):
        await answering
    await residency.close()


@in_virtual_time
async def test_closing_ends_all_who_wait_and_all_who_run() -> None:
    machine = Machine(100, a=100, b=100)
    machine.limit_requests("a", 1)
    running = await machine.request("a")
    waiting = [Request(machine.residency, model) for model in ("a", "b", "a", "b")]
    await asyncio.sleep(0.1)
    await machine.residency.close()
    for request in waiting:
        with pytest.raises(UnavailableError):
            await request.task
    await running.end()
    await machine.close()


@in_virtual_time
async def test_closing_as_a_load_ends_waits_for_nobody() -> None:
    machine = Machine(100, a=10)
    request = Request(machine.residency, "a")
    await asyncio.sleep(LOAD_SECONDS / 2)

    async def close() -> None:
        await machine.residency._residents["a"].loading
        await machine.residency.close()  # the request would have it in the next step

    await close()
    with pytest.raises(UnavailableError):
        await request.task
    await machine.close()
