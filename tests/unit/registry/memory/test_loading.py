from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from llm_runner_router.errors import (
    ModelFileError,
    ModelNotPulledError,
    OverloadedError,
    RouterError,
)
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.memory.resident import ProgressListener
from llm_runner_router.registry.records import LoadProgress, ModelConfig, ModelRecord
from unit.registry.memory.sized_models import LOAD_SECONDS, Machine, Request
from unit.virtual_time import in_virtual_time, leftovers


def no_memory(reason: str | None = None) -> OverloadedError:
    return OverloadedError("the machine has no more", retry_after=1.0, reason=reason)


@in_virtual_time
async def test_where_the_machine_has_less_idle_models_go_and_it_is_tried_again() -> None:
    machine = Machine(100, a=10, b=10, c=10, d=10)
    running = await machine.request("a")
    machine.configure("b", pinned=True)
    await machine.load("b", "c")
    machine.loader.failures = [no_memory()]
    seen: list[LoadProgress] = []
    await machine.residency.load("d", seen.append)
    assert machine.loaded() == ["a", "b", "d"]
    assert machine.loader.loads == ["a", "b", "c", "d", "d"]
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions) == [0.0, 0.5, 0.5, 0.5]
    await running.end()
    await machine.close()


@in_virtual_time
async def test_it_is_tried_again_once_and_only_where_something_went() -> None:
    machine = Machine(100, a=10, b=10)
    machine.loader.failures = [no_memory()]
    with pytest.raises(OverloadedError):
        await machine.load("a")
    await machine.load("a")
    machine.loader.failures = [no_memory(), no_memory("MEMORY")]
    with pytest.raises(OverloadedError):
        await machine.load("b")
    assert machine.loader.loads == ["a", "a", "b", "b"]
    assert machine.residency.memory().used == 0
    await machine.close()


@pytest.mark.parametrize("failure", [no_memory("DISK_FULL"), ModelFileError("damaged")])
@in_virtual_time
async def test_other_failures_send_nobody_away(failure: RouterError) -> None:
    machine = Machine(100, a=10, b=10)
    await machine.load("a")
    machine.loader.failures = [failure]
    with pytest.raises(type(failure)):
        await machine.load("b")
    assert machine.loaded() == ["a"]
    assert machine.residency.memory().used == 10
    assert leftovers() == ([], [])
    await machine.close()


@in_virtual_time
async def test_a_load_that_fails_lets_the_next_in() -> None:
    machine = Machine(100, a=100, b=100)
    machine.loader.failures = [ModelFileError("damaged")]
    first = Request(machine.residency, "a")
    second = Request(machine.residency, "b")
    with pytest.raises(ModelFileError):
        await first.task
    await second.end()
    assert machine.loaded() == ["b"]
    await machine.close()


@pytest.mark.parametrize("moment", [0.0, LOAD_SECONDS / 4, LOAD_SECONDS * 0.9])
@in_virtual_time
async def test_a_cancelled_load_leaves_nothing(moment: float) -> None:
    machine = Machine(100, a=100, b=100)
    seen: list[LoadProgress] = []
    load = asyncio.ensure_future(machine.residency.load("a", seen.append))
    await asyncio.sleep(moment)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    told = len(seen)
    await machine.load("b")  # waits until the memory is free in fact
    assert machine.loader.most <= 100
    assert len(seen) == told
    assert machine.loaded() == ["b"]
    assert leftovers() == ([], [])
    await machine.close()


@in_virtual_time
async def test_what_takes_no_memory_here_is_never_refused() -> None:
    machine = Machine(0, a=10)

    async def nothing(_: object) -> None:
        return None

    machine.loader.estimate = nothing  # type: ignore[method-assign, assignment]
    await machine.load("a")
    assert machine.loaded() == ["a"]
    assert machine.residency.memory() == (0, 0)
    await machine.close()


@in_virtual_time
async def test_what_is_not_here_is_fetched_before_it_takes_memory() -> None:
    machine = Machine(100, a=10)
    estimate, plain = machine.loader.estimate, machine.loader.load
    seen: list[LoadProgress] = []
    loaded: list[ModelConfig] = []

    async def missing(record: ModelRecord, *_: object) -> None:
        raise ModelNotPulledError(record.source)

    async def fetch(record: ModelRecord, on_progress: ProgressListener) -> ModelRecord:
        assert machine.residency.memory().used == 0
        on_progress(LoadProgress("downloading", 0.5))
        machine.loader.estimate = estimate  # type: ignore[method-assign]
        return replace(record, config=ModelConfig(context_length=64))

    async def load(record: ModelRecord, on_progress: ProgressListener) -> Provider:
        loaded.append(record.config)
        return await plain(record, on_progress)

    machine.loader.estimate = missing  # type: ignore[method-assign, assignment]
    machine.loader.fetch = missing  # type: ignore[attr-defined]
    with pytest.raises(ModelNotPulledError):
        await machine.residency.load("a")
    machine.loader.fetch = fetch  # type: ignore[attr-defined]
    machine.loader.load = load  # type: ignore[method-assign]
    await machine.residency.load("a", seen.append)
    assert loaded == [ModelConfig(context_length=64)]
    assert [progress.phase for progress in seen] == ["downloading", "model", "model"]
    assert [progress.fraction for progress in seen] == [0.5, 0.5, 0.5]
    assert machine.residency.memory().used == 10
    await machine.close()


@in_virtual_time
async def test_what_cannot_be_estimated_cannot_be_loaded() -> None:
    machine = Machine(100, a=10)

    async def fail(_: object) -> None:
        raise ModelFileError("no such file")

    machine.loader.estimate = fail  # type: ignore[method-assign, assignment]
    with pytest.raises(ModelFileError):
        await machine.load("a")
    assert machine.loader.loads == []
    await machine.close()
