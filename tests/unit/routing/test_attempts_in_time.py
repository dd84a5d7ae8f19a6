"""What attempts have to do with time limits, waiting and signs of life."""

from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import (
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.preferences import Routing
from llm_runner_router.providers.base import Delta, Progress
from llm_runner_router.types import ModelFormat, Request
from unit.routing.attempt_stage import ACCEPTED, ANSWER, FINISHED, Stage
from unit.routing.virtual_time import now, virtual

DOWN = UnavailableError("down")
OFTEN = {"routing": {"max_attempts": 20}}


def once(error: BaseException) -> list[list[BaseException]]:
    return [[error]]


@virtual
async def test_a_limit_of_the_callers_own_shows_nothing_of_the_model() -> None:
    request = Request(prompt="x", routing=Routing(first_token_timeout_ms=1.0))
    config = {"routing": {"breaker_failures": 1, "first_token_timeout": 5000}}
    stage = Stage({"a": [[4.0, *ANSWER]], "b": [ANSWER]}, config, request)
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "TIME_LIMIT"), ("b", "OK")]
    assert stage.breakers.allows("a")
    assert stage.measurements.expected("a", 5).samples == 0


@pytest.mark.parametrize("wish", [None, 2000.0, 3000.0])
@virtual
async def test_the_limit_of_the_service_shows_that_a_model_is_slow(wish: float | None) -> None:
    request = Request(prompt="x", routing=Routing(first_token_timeout_ms=wish))
    config = {"routing": {"breaker_failures": 1, "first_token_timeout": 2000}}
    stage = Stage({"a": [[9.0, *ANSWER]], "b": [ANSWER]}, config, request)
    await stage.events()
    assert not stage.breakers.allows("a")
    assert stage.measurements.expected("a", 5).error_rate > 0


@virtual
async def test_a_stall_is_a_fault_whatever_the_caller_allows_the_first_token() -> None:
    request = Request(prompt="x", routing=Routing(first_token_timeout_ms=1.0))
    stage = Stage({"a": [[*ANSWER[:2], 99.0]]}, {"routing": {"breaker_failures": 1}}, request)
    with pytest.raises(TimeLimitError):
        await stage.events()
    assert not stage.breakers.allows("a")


@virtual
async def test_who_has_others_to_ask_does_not_wait_for_a_model_that_is_not_ready() -> None:
    config = {"performance": {"timeout": 2000}, "routing": {"breaker_failures": 1}}
    stage = Stage({"a": [ANSWER], "b": [ANSWER]}, config)
    stage.leases.loading |= {"a": 60.0, "b": 60.0}
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "TIME_LIMIT"), ("b", "OK")]
    assert "not ready for 2000 ms" in stage.tally.attempts[0].message
    assert stage.tally.attempts[0].duration_ms == pytest.approx(2000.0)
    assert stage.breakers.allows("a")
    assert stage.measurements.expected("a", 5).samples == 0
    stage.assert_all_released()


@virtual
async def test_others_whose_circuit_is_open_are_nobody_to_ask() -> None:
    stage = Stage({"a": [ANSWER], "b": [ANSWER]}, {"performance": {"timeout": 2000}})
    stage.open_circuit("b")
    stage.leases.loading["a"] = 60.0
    await stage.events()
    assert stage.trace() == [("a", "OK")]


@virtual
async def test_what_a_failed_attempt_has_kept_is_let_go() -> None:
    stage = Stage({"a": [[ACCEPTED, DOWN]], "b": [[ACCEPTED, 9.0]], "c": [ANSWER]}, hold=True)
    with pytest.raises(UnavailableError):
        await stage.events()
    assert stage.players["a"].released == ["r"]
    stage = Stage({"a": [[DOWN], ANSWER]}, hold=True)
    await stage.events()
    assert stage.players["a"].released == ["r"]
    stage = Stage({"a": [[ACCEPTED, 9.0]]}, hold=True)
    answer = stage.answer()
    await anext(answer)
    assert stage.players["a"].released == []
    await answer.aclose()
    assert stage.players["a"].released == ["r"]


@virtual
async def test_a_finished_answer_keeps_what_it_holds() -> None:
    stage = Stage({"a": [ANSWER]}, hold=True)
    await stage.events()
    assert stage.players["a"].released == []


@virtual
async def test_thoughts_commit_to_nothing_but_are_paid() -> None:
    stage = Stage({"a": [[Progress("12345678"), DOWN]], "b": [ANSWER]}, format=ModelFormat.API)
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "UNAVAILABLE"), ("b", "OK")]
    assert [attempt.cost_usd for attempt in stage.tally.attempts] == [3.0 + 20.0, 37.0]


@virtual
async def test_a_cancelled_answer_pays_for_its_thoughts() -> None:
    thinking = [Progress("1234"), ACCEPTED, Progress("12345678"), Delta("x", (1,)), 9.0]
    stage = Stage({"a": [thinking]})
    answer = stage.answer()
    assert [await anext(answer), await anext(answer)] == [ACCEPTED, Delta("x", (1,))]
    await answer.aclose()
    metrics = stage.tally.metrics()
    assert (metrics.completion_tokens, metrics.reasoning_tokens) == (4, 3)
    assert metrics.cost_usd == 47.0


@virtual
async def test_whoever_thinks_is_given_time() -> None:
    thinking = [1.5, Progress("hm"), 1.5, Progress("so"), 1.5, *ANSWER]
    config = {"performance": {"timeout": 2000}, "routing": {"first_token_timeout": 2000}}
    stage = Stage({"a": [thinking], "b": [ANSWER]}, config)
    await stage.events()
    assert stage.trace() == [("a", "OK")]
    assert stage.measurements.expected("a", 5).first_token_ms == pytest.approx(4500.0)


@virtual
async def test_a_sign_of_life_is_no_first_token() -> None:
    waiting = [1.5, Progress(""), 1.5, *ANSWER]
    stage = Stage({"a": [waiting]}, {"performance": {"timeout": 2000}})
    await stage.events()
    assert stage.trace() == [("a", "OK")]
    stage = Stage({"a": [waiting], "b": [ANSWER]}, {"routing": {"first_token_timeout": 2000}})
    await stage.events()
    assert stage.trace() == [("a", "TIME_LIMIT"), ("b", "OK")]
    assert stage.tally.attempts[0].duration_ms == pytest.approx(2000.0)
    assert stage.tally.attempts[0].cost_usd == 0.0


@virtual
async def test_the_limit_to_the_first_token_goes_to_the_next_model() -> None:
    request = Request(prompt="x", routing=Routing(first_token_timeout_ms=250.0))
    stage = Stage({"a": [[1.0, *ANSWER]], "b": [ANSWER]}, request=request)
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "TIME_LIMIT"), ("b", "OK")]
    assert stage.tally.attempts[0].duration_ms == pytest.approx(250.0)
    assert "no first token for 250 ms" in stage.tally.attempts[0].message


@pytest.mark.parametrize(
    ("config", "limit"),
    [({"routing": {"first_token_timeout": 500}}, 500.0), ({"performance": {"timeout": 2000}}, 2e3)],
)
@virtual
async def test_the_service_limits_the_first_token(config: dict[str, object], limit: float) -> None:
    stage = Stage({"a": [[9.0, *ANSWER]], "b": [ANSWER]}, config)
    await stage.events()
    assert stage.tally.attempts[0].duration_ms == pytest.approx(limit)


@virtual
async def test_a_stall_between_tokens_ends_the_answer() -> None:
    stall = [ACCEPTED, Delta("one", (1,)), 3.0, FINISHED]
    stage = Stage({"a": [stall], "b": [ANSWER]}, {"performance": {"timeout": 2000}})
    with pytest.raises(TimeLimitError, match="no new token for 2000 ms"):
        await stage.events()
    assert len(stage.trace()) == 1


@virtual
async def test_the_time_of_the_consumer_is_not_limited() -> None:
    stage = Stage({"a": [ANSWER]}, {"performance": {"timeout": 1000}})
    async for _ in stage.answer():
        await asyncio.sleep(50.0)
    assert stage.trace() == [("a", "OK")]
    assert stage.measurements.expected("a", 5).token_ms is None


@virtual
async def test_past_the_deadline_nothing_is_tried_again() -> None:
    stage = Stage({"a": [[9.0, *ANSWER]], "b": [ANSWER]}, deadline=now() + 1.0)
    with pytest.raises(TimeLimitError, match="deadline"):
        await stage.events()
    assert stage.trace() == [("a", "TIME_LIMIT")]
    assert stage.measurements.expected("a", 5).samples == 0


@virtual
async def test_the_deadline_bounds_loading() -> None:
    stage = Stage({"a": [ANSWER], "b": [ANSWER]}, deadline=now() + 1.0)
    stage.leases.loading["a"] = 5.0
    with pytest.raises(TimeLimitError, match="while the model was loaded"):
        await stage.events()
    assert len(stage.trace()) == 1


@virtual
async def test_loading_is_not_measured() -> None:
    stage = Stage({"a": [[0.5, ACCEPTED, Delta("x", (1,)), 0.2, Delta("y", (2, 3)), FINISHED]]})
    stage.leases.loading["a"] = 5.0
    await stage.events()
    found = stage.measurements.expected("a", 5)
    assert found.first_token_ms == pytest.approx(500.0)
    assert found.token_ms == pytest.approx(100.0)
