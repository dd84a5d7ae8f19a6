from __future__ import annotations

import asyncio
from typing import cast

import pytest

from llm_runner_router.errors import InvalidRequestError, UnavailableError
from llm_runner_router.preferences import Routing
from llm_runner_router.routing.attempt import RunningAttempt
from llm_runner_router.routing.hedge import Race
from llm_runner_router.types import Request
from unit.routing.attempt_stage import ACCEPTED, ANSWER, FINISHED, Act, Stage
from unit.routing.virtual_time import now, virtual

HEDGED = {"routing": {"hedge": True}}
DOWN = UnavailableError("down")
SLOW: Act = (5.0, *ANSWER)


def slow_stage(second: Act = ANSWER, first: Act = SLOW, **values: object) -> Stage:
    stage = Stage({"a": [first], "b": [second]}, HEDGED, **values)
    stage.slow_to_begin("a", 1.0)
    return stage


def starts(stage: Stage) -> list[tuple[str, float, bool]]:
    return [(each.model, each.started_ms, each.hedged) for each in stage.tally.attempts]


@virtual
async def test_the_second_wins_where_the_first_takes_too_long() -> None:
    stage = slow_stage()
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "CANCELLED"), ("b", "OK")]
    assert starts(stage) == [("a", 0.0, False), ("b", pytest.approx(1000.0), True)]
    assert stage.tally.model == "b"
    assert stage.breakers.allows("a")
    stage.assert_all_released()


@virtual
async def test_the_first_wins_where_the_second_takes_longer() -> None:
    stage = slow_stage(second=(50.0, *ANSWER))
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("b", "CANCELLED"), ("a", "OK")]
    assert stage.tally.model == "a"
    assert stage.measurements.expected("b", 5).samples == 0
    stage.assert_all_released()


@virtual
async def test_no_hedge_where_the_first_begins_in_time() -> None:
    stage = slow_stage(first=(0.9, ACCEPTED, 9.0, FINISHED))
    await stage.events()
    assert stage.trace() == [("a", "OK")]


@virtual
async def test_no_hedge_before_enough_was_measured() -> None:
    stage = Stage({"a": [SLOW], "b": [ANSWER]}, HEDGED)
    await stage.events()
    assert stage.trace() == [("a", "OK")]


@pytest.mark.parametrize(
    "routing", [Routing(hedge=False), Routing(max_attempts=1)], ids=["unwanted", "one attempt"]
)
@virtual
async def test_the_request_may_forbid_a_hedge(routing: Routing) -> None:
    stage = slow_stage(request=Request(prompt="x", routing=routing))
    await stage.events()
    assert stage.trace() == [("a", "OK")]


@virtual
async def test_the_request_may_ask_for_a_hedge() -> None:
    request = Request(prompt="x", routing=Routing(hedge=True))
    stage = Stage({"a": [SLOW], "b": [ANSWER]}, request=request)
    stage.slow_to_begin("a", 1.0)
    await stage.events()
    assert stage.tally.model == "b"


@virtual
async def test_only_the_first_attempt_is_hedged() -> None:
    stage = Stage({"a": [[DOWN]], "b": [SLOW], "c": [ANSWER]}, HEDGED)
    for model in stage.players:
        stage.slow_to_begin(model, 1.0)
    await stage.events()
    assert stage.trace() == [("a", "UNAVAILABLE"), ("b", "OK")]


@virtual
async def test_an_open_circuit_is_no_second_model() -> None:
    stage = Stage({"a": [SLOW], "b": [ANSWER], "c": [ANSWER]}, HEDGED)
    stage.slow_to_begin("a", 1.0)
    stage.open_circuit("b")
    await stage.events()
    assert stage.trace() == [("a", "CANCELLED"), ("c", "OK")]


@virtual
async def test_a_second_that_fails_leaves_the_first_running() -> None:
    stage = slow_stage(second=[DOWN])
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("b", "UNAVAILABLE"), ("a", "OK")]
    stage.assert_all_released()


@virtual
async def test_a_first_that_fails_leaves_the_second_running() -> None:
    stage = slow_stage(first=[2.0, DOWN], second=(9.0, *ANSWER))
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "UNAVAILABLE"), ("b", "OK")]


@virtual
async def test_where_both_fail_the_search_goes_on() -> None:
    stage = Stage({"a": [[2.0, DOWN], ANSWER], "b": [[9.0, DOWN]], "c": [ANSWER]}, HEDGED)
    stage.slow_to_begin("a", 1.0)
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "UNAVAILABLE"), ("b", "UNAVAILABLE"), ("c", "OK")]


@virtual
async def test_of_two_that_refuse_the_first_is_heard() -> None:
    refusals = [InvalidRequestError("top_k", 1, allowed) for allowed in ("less", "none")]
    stage = slow_stage(first=[2.0, refusals[0]], second=[9.0, refusals[1]])
    with pytest.raises(InvalidRequestError, match="less"):
        await stage.events()
    assert stage.trace() == [("a", "INVALID_REQUEST"), ("b", "INVALID_REQUEST")]
    stage.assert_all_released()


@virtual
async def test_both_at_once_are_paid_and_the_first_goes_on() -> None:
    stage = slow_stage(first=(1.5, *ANSWER), second=(0.5, *ANSWER))
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("b", "CANCELLED"), ("a", "OK")]
    assert [attempt.cost_usd for attempt in stage.tally.attempts] == [7.0, 37.0]
    assert stage.tally.cost_usd == 44.0
    stage.assert_all_released()


@virtual
async def test_cancelling_ends_both() -> None:
    stage = slow_stage(second=SLOW)
    task = asyncio.ensure_future(stage.events())
    await asyncio.sleep(2.0)
    assert [player.playing for player in stage.players.values()] == [1, 1]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(stage.trace()) == [("a", "CANCELLED"), ("b", "CANCELLED")]
    stage.assert_all_released()


class Runner:
    """Is accepted in the same moment in which the race is cancelled."""

    def __init__(self) -> None:
        self.race: asyncio.Task[object] | None = None
        self.closed = False

    async def begin(self) -> bool:
        assert self.race is not None
        self.race.cancel()
        return True

    async def close(self) -> None:
        self.closed = True


@virtual
async def test_cancelling_closes_what_was_just_accepted() -> None:
    runner = Runner()
    race = Race(cast("RunningAttempt", runner), 1.0, lambda: None)
    runner.race = asyncio.ensure_future(race.winner())
    with pytest.raises(asyncio.CancelledError):
        await runner.race
    assert runner.closed


@virtual
async def test_the_deadline_bounds_both() -> None:
    stage = slow_stage(second=SLOW, deadline=now() + 2.0)
    with pytest.raises(Exception, match="deadline"):
        await stage.events()
    assert [outcome for _, outcome in stage.trace()] == ["TIME_LIMIT", "TIME_LIMIT"]
    stage.assert_all_released()


@virtual
async def test_a_mistake_of_the_program_comes_out_as_it_is() -> None:
    stage = slow_stage(second=[KeyError("x")])
    with pytest.raises(KeyError):
        await stage.events()
    stage.assert_all_released()


@virtual
async def test_what_was_overtaken_still_counts_as_slow() -> None:
    stage = Stage({"a": [SLOW], "b": [(0.5, *ANSWER)]}, HEDGED)
    stage.slow_to_begin("a", 1.0)
    for _ in range(2):
        await stage.events()
    p95 = stage.measurements.first_token_p95("a", 5)
    assert p95 == pytest.approx(1500.0)
