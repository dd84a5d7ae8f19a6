"""What attempts and circuit breakers have to do with each other."""

import asyncio

import pytest

from llm_runner_router.errors import (
    UnavailableError,
)
from llm_runner_router.providers.base import Call
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.attempt import RunningAttempt, Target
from llm_runner_router.types import ModelFormat
from unit.routing.attempt_stage import ACCEPTED, ANSWER, FINISHED, Stage
from unit.routing.virtual_time import virtual

DOWN = UnavailableError("down")
OFTEN = {"routing": {"max_attempts": 20}}


def once(error: BaseException) -> list[list[BaseException]]:
    return [[error]]


@virtual
async def test_an_answer_in_between_keeps_the_circuit_closed() -> None:
    routing = {"breaker_failures": 2, "max_attempts": 1}
    stage = Stage({"a": [[DOWN], ANSWER, [DOWN], ANSWER]}, {"routing": routing})
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await stage.events()
        await stage.events()
    assert [outcome for _, outcome in stage.trace()] == ["UNAVAILABLE", "OK"] * 2


@virtual
async def test_an_attempt_that_never_began_gives_its_probe_back() -> None:
    stage = Stage({"a": [ANSWER]}, {"routing": {"breaker_failures": 1}})
    stage.open_circuit("a")
    await asyncio.sleep(30.0)
    trial = stage.breakers.begin("a")
    assert trial is not None
    record = ModelRecord("a", "", ModelFormat.GGUF, "s")
    target = Target(record, Call("r", stage.request), 5)
    await RunningAttempt(stage.attempts._means, trial, target, stage.tally).close()
    assert stage.breakers.allows("a")
    assert not stage.trace()


@virtual
async def test_open_circuits_count_as_no_attempt() -> None:
    routing = {"breaker_failures": 1, "max_attempts": 1}
    stage = Stage({"a": [ANSWER], "b": [ANSWER]}, {"routing": routing})
    stage.open_circuit("a")
    await stage.events()
    assert stage.trace() == [("b", "OK")]
    stage.open_circuit("b")
    with pytest.raises(UnavailableError) as found:
        await stage.events()
    assert found.value.reason == "CIRCUIT_OPEN"


@virtual
async def test_an_abandoned_probe_is_given_back() -> None:
    stage = Stage({"a": [[ACCEPTED, 9.0, FINISHED]]}, {"routing": {"breaker_failures": 1}})
    stage.open_circuit("a")
    await asyncio.sleep(30.0)
    stage.players["a"].acts = [[9.0, *ANSWER]]
    task = asyncio.ensure_future(stage.events())
    await asyncio.sleep(1.0)
    assert not stage.breakers.allows("a")
    task.cancel()
    await asyncio.wait([task])
    assert stage.breakers.allows("a")


@virtual
async def test_a_slow_reader_does_not_keep_a_probed_model_from_others() -> None:
    stage = Stage({"a": [[ACCEPTED, 9.0, FINISHED]]}, {"routing": {"breaker_failures": 1}})
    stage.open_circuit("a")
    await asyncio.sleep(30.0)
    answer = stage.answer()
    await anext(answer)
    assert stage.breakers.allows("a")
    await answer.aclose()


@virtual
async def test_a_probe_that_fails_after_it_began_counts_as_any_other() -> None:
    stage = Stage({"a": [[ACCEPTED, DOWN]]}, {"routing": {"breaker_failures": 1}})
    stage.open_circuit("a")
    await asyncio.sleep(30.0)
    with pytest.raises(UnavailableError):
        await stage.events()
    assert not stage.breakers.allows("a")
