from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import (
    BudgetError,
    ContextLengthError,
    EngineError,
    InvalidRequestError,
    ModelFileError,
    OverloadedError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.preferences import Routing
from llm_runner_router.providers.base import Accepted, Delta, Finished
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request
from unit.routing.attempt_stage import ACCEPTED, ANSWER, FINISHED, Stage
from unit.routing.virtual_time import now, virtual

DOWN = UnavailableError("down")
OFTEN = {"routing": {"max_attempts": 20}}


def once(error: BaseException) -> list[list[BaseException]]:
    return [[error]]


@virtual
async def test_the_first_model_answers() -> None:
    stage = Stage({"a": [ANSWER], "b": [ANSWER]})
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", "OK")]
    assert stage.tally.model == "a"
    assert not stage.players["b"].calls
    stage.assert_all_released()


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        ProviderFailedError("500"),
        OverloadedError("full", retry_after=9.0),
        RateLimitError("slow down", retry_after=9.0),
        EngineError("broken"),
        ProviderRejectedError("key"),
        ModelFileError("damaged"),
        ContextLengthError(9, 8),
        UnsupportedError("tools"),
        InvalidRequestError("top_k", 1, "none"),
    ],
)
@virtual
async def test_what_fails_before_it_is_accepted_goes_to_the_next_model(error: RouterError) -> None:
    stage = Stage({"a": once(error), "b": [ANSWER]})
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", error.reason), ("b", "OK")]
    assert stage.tally.attempts[0].message == error.message
    assert stage.tally.model == "b"
    stage.assert_all_released()


@virtual
async def test_a_model_that_refuses_is_asked_once_and_not_blamed() -> None:
    refusal = InvalidRequestError("top_k", 1, "none")
    stage = Stage({"a": once(refusal)}, {"routing": {"breaker_failures": 1}})
    with pytest.raises(InvalidRequestError):
        await stage.events()
    assert stage.trace() == [("a", "INVALID_REQUEST")]
    assert stage.breakers.allows("a")
    assert stage.measurements.expected("a", 5).error_rate == 0


@virtual
async def test_all_models_once_and_then_again_those_that_may_do_better() -> None:
    rejected = ProviderRejectedError("key")
    stage = Stage({"a": [[rejected], ANSWER], "b": [[DOWN], [DOWN], ANSWER], "c": [[DOWN]]}, OFTEN)
    assert await stage.events() == list(ANSWER)
    assert [model for model, _ in stage.trace()] == ["a", "b", "c", "b", "c", "b"]


@virtual
async def test_the_pause_before_a_retry_doubles() -> None:
    stage = Stage({"a": [[DOWN], [DOWN], [DOWN], ANSWER]}, OFTEN)
    await stage.events()
    starts = [attempt.started_ms for attempt in stage.tally.attempts]
    assert starts == pytest.approx([0.0, 100.0, 300.0, 700.0])


@virtual
async def test_a_rate_limit_is_waited_for() -> None:
    stage = Stage({"a": [[RateLimitError("later", retry_after=2.0)], ANSWER]})
    await stage.events()
    assert stage.tally.attempts[1].started_ms == pytest.approx(2000.0)
    assert stage.breakers.allows("a")


@virtual
async def test_a_rate_limit_is_remembered() -> None:
    stage = Stage({"a": [[RateLimitError("later", retry_after=20.0)]], "b": [ANSWER]})
    await stage.events()
    assert stage.breakers.resting() == {"a": 20.0}
    assert stage.measurements.expected("a", 5).samples == 0


@virtual
async def test_who_is_ready_first_is_tried_first() -> None:
    limit = RateLimitError("later", retry_after=5.0)
    stage = Stage({"a": [[limit], ANSWER], "b": [[DOWN], ANSWER]})
    await stage.events()
    assert [model for model, _ in stage.trace()] == ["a", "b", "b"]


@virtual
async def test_nobody_sleeps_past_the_deadline() -> None:
    limit = RateLimitError("later", retry_after=5.0)
    stage = Stage({"a": [[limit]]}, deadline=now() + 5.0)
    begun = now()
    with pytest.raises(RateLimitError):
        await stage.events()
    assert now() == begun


@virtual
async def test_nobody_sleeps_for_longer_than_a_request_may_stand_still() -> None:
    limit = RateLimitError("tomorrow", retry_after=86_400.0)
    stage = Stage({"a": [[limit]]})
    with pytest.raises(RateLimitError):
        await stage.events()
    assert len(stage.trace()) == 1


@virtual
async def test_a_used_up_budget_is_not_tried_again() -> None:
    budget = BudgetError("model a, day", limit_usd=1, spent_usd=1, retry_after=0.1)
    stage = Stage({"a": [[budget], ANSWER]})
    with pytest.raises(BudgetError):
        await stage.events()


@virtual
async def test_the_service_limits_attempts() -> None:
    stage = Stage({"a": [[DOWN]], "b": [[EngineError("x")]]})
    with pytest.raises(UnavailableError):
        await stage.events()
    assert [model for model, _ in stage.trace()] == ["a", "b", "a"]
    assert stage.tally.model == "a"
    stage.assert_all_released()


@virtual
async def test_the_request_limits_attempts() -> None:
    request = Request(prompt="x", routing=Routing(max_attempts=1))
    stage = Stage({"a": [[DOWN]], "b": [ANSWER]}, request=request)
    with pytest.raises(UnavailableError):
        await stage.events()
    assert len(stage.trace()) == 1


@virtual
async def test_of_nothing_but_rate_limits_the_one_that_ends_first_is_told() -> None:
    stage = Stage(
        {
            "a": [[RateLimitError("a", retry_after=50.0)]],
            "b": [[RateLimitError("b", retry_after=40.0)]],
            "c": [[RateLimitError("c", retry_after=60.0)]],
        }
    )
    with pytest.raises(RateLimitError, match="b"):
        await stage.events()


@virtual
async def test_after_it_was_accepted_an_error_ends_the_stream() -> None:
    stage = Stage({"a": [[ACCEPTED, Delta("one", (1,)), DOWN]], "b": [ANSWER]})
    answer = stage.answer()
    assert [await anext(answer), await anext(answer)] == [ACCEPTED, Delta("one", (1,))]
    with pytest.raises(UnavailableError):
        await anext(answer)
    assert stage.trace() == [("a", "UNAVAILABLE")]
    assert stage.tally.cost_usd == 17.0
    assert stage.tally.metrics().completion_tokens == 1
    stage.assert_all_released()


@virtual
async def test_what_failed_before_it_was_accepted_costs_nothing() -> None:
    stage = Stage({"a": [[DOWN]], "b": [ANSWER]})
    await stage.events()
    assert [attempt.cost_usd for attempt in stage.tally.attempts] == [0.0, 37.0]
    assert stage.tally.metrics().cost_usd == 37.0


@virtual
async def test_the_account_is_complete_when_finished_comes() -> None:
    usage = Metrics(prompt_tokens=8, completion_tokens=3)
    stage = Stage({"a": [[*ANSWER[:-1], Finished(FinishReason.STOP, usage)]]})
    async for event in stage.answer():
        if isinstance(event, Finished):
            assert stage.trace() == [("a", "OK")]
            assert stage.tally.metrics().total_tokens == 11
            assert stage.tally.metrics().cost_usd == 38.0
            stage.assert_all_released()
            break
    else:
        pytest.fail("no end")


@virtual
async def test_a_cancelled_answer_costs_what_was_delivered() -> None:
    unnumbered = [Accepted(), Delta("one word"), Delta("!"), 100.0, FINISHED]
    stage = Stage({"a": [unnumbered]}, format=ModelFormat.API)
    answer = stage.answer()
    for _ in range(3):
        await anext(answer)
    await answer.aclose()
    assert stage.trace() == [("a", "CANCELLED")]
    metrics = stage.tally.metrics()
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (3, 3)
    assert metrics.cost_usd == 33.0
    assert stage.breakers.allows("a")
    stage.assert_all_released()


@virtual
async def test_cancelling_the_task_ends_the_attempt() -> None:
    stage = Stage({"a": [[100.0, *ANSWER]]})
    task = asyncio.ensure_future(stage.events())
    await asyncio.sleep(1.0)
    assert stage.players["a"].playing
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.trace() == [("a", "CANCELLED")]
    assert stage.measurements.expected("a", 5).samples == 0
    stage.assert_all_released()


@pytest.mark.parametrize("error", [ProviderRejectedError("key"), ModelFileError("damaged")])
@virtual
async def test_what_an_operator_must_mend_counts_against_the_model(error: RouterError) -> None:
    stage = Stage({"a": once(error), "b": [ANSWER]}, {"routing": {"breaker_failures": 2}})
    for _ in range(3):
        await stage.events()
    assert [model for model, _ in stage.trace()] == ["a", "b", "a", "b", "b"]
    assert stage.measurements.expected("a", 5).error_rate > 0


@virtual
async def test_models_that_cannot_be_loaded_leave_the_attempts_to_others() -> None:
    acts = {"a": [ANSWER], "b": [ANSWER], "c": [[DOWN], ANSWER]}
    stage = Stage(acts, {"routing": {"max_attempts": 2}})
    stage.leases.broken |= {"a": ModelFileError("damaged"), "b": ProviderRejectedError("no key")}
    assert await stage.events() == list(ANSWER)
    assert [model for model, _ in stage.trace()] == ["a", "b", "c", "c"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(ModelFormat.GGUF, "ENGINE_FAILED"), (ModelFormat.API, "PROVIDER_FAILED")],
)
@pytest.mark.parametrize("act", [[], [Delta("x")], [FINISHED]])
@virtual
async def test_who_does_not_begin_properly_has_failed(
    act: list[Delta | Finished], kind: ModelFormat, reason: str
) -> None:
    stage = Stage({"a": [act], "b": [ANSWER]}, format=kind)
    assert await stage.events() == list(ANSWER)
    assert stage.trace() == [("a", reason), ("b", "OK")]


@virtual
async def test_who_does_not_finish_has_failed() -> None:
    stage = Stage({"a": [[ACCEPTED, Delta("x", (1,))]]}, format=ModelFormat.API)
    with pytest.raises(ProviderFailedError, match="without a finish"):
        await stage.events()


@virtual
async def test_failures_in_a_row_open_the_circuit() -> None:
    stage = Stage({"a": [[DOWN]], "b": [ANSWER]}, {"routing": {"breaker_failures": 2}})
    for _ in range(3):
        await stage.events()
    assert [model for model, _ in stage.trace()] == ["a", "b", "a", "b", "b"]
    assert not stage.breakers.allows("a")


@virtual
async def test_chunks_are_counted_before_they_are_handed_on() -> None:
    stage = Stage({"a": [[ACCEPTED, 0.5, *ANSWER[1:]]]})
    counts = [
        (stage.tally.chunks, stage.tally.completion_tokens, stage.tally.first_token_ms)
        async for _ in stage.answer()
    ]
    half = pytest.approx(500.0)
    assert counts == [(0, 0, 0.0), (1, 1, half), (2, 3, half), (2, 3, half)]


@virtual
async def test_the_load_is_the_prompt_and_the_answer() -> None:
    stage = Stage({"a": [ANSWER]}, request=Request(prompt="x", max_tokens=11))
    await stage.events()
    assert stage.loads.seen == [("a", 16)]
    stage = Stage({"a": [ANSWER]})
    await stage.events()
    assert stage.loads.seen == [("a", 261)]


@virtual
async def test_a_mistake_of_the_program_is_not_hidden() -> None:
    stage = Stage({"a": [[KeyError("x")]], "b": [ANSWER]})
    with pytest.raises(KeyError):
        await stage.events()
    assert stage.trace() == [("a", "INTERNAL")]
    stage.assert_all_released()


@virtual
async def test_the_providers_own_usage_is_paid() -> None:
    usage = Metrics(prompt_tokens=100, completion_tokens=50, cached_tokens=30)
    stage = Stage({"a": [[ACCEPTED, Delta("x"), Finished(FinishReason.STOP, usage)]]})
    await stage.events()
    assert stage.tally.cost_usd == 600.0
    assert stage.tally.metrics().cached_tokens == 30


@virtual
async def test_a_count_at_the_beginning_is_not_that_of_the_end() -> None:
    begun = Accepted(metrics=Metrics(prompt_tokens=7, completion_tokens=1))
    stage = Stage({"a": [[begun, *ANSWER[1:3], 9.0, FINISHED]]})
    answer = stage.answer()
    for _ in range(3):
        await anext(answer)
    await answer.aclose()
    assert stage.tally.metrics().completion_tokens == 3
