from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.ensemble import Ensemble
from llm_runner_router.ensembles import Aggregation, EnsembleRequest, EnsembleResponse, Member
from llm_runner_router.errors import (
    InvalidRequestError,
    ProviderFailedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.preferences import Priority, Requirements, Routing
from llm_runner_router.types import FinishReason, Metrics, Request, Response, Role
from unit.echoes import echo_runtime, settle, until
from unit.ensemble.fakes import Models, answer

CONTEXT = CallContext("alice", 1e9)
QUESTION = Request(prompt="why?", temperature=0.7)


def asked(
    names: str, aggregation: Aggregation, *, judge: str | None = None, minimum: int = 1
) -> EnsembleRequest:
    """Members of the names' letters; the first has weight 1, the second 2 and so on."""
    members = [Member(name, weight) for weight, name in enumerate(names, start=1)]
    return EnsembleRequest(QUESTION, members, aggregation, judge, minimum)


def outcome(result: EnsembleResponse) -> list[tuple[str, str | None, float]]:
    return [
        (member.model, None if member.response is None else member.response.response, member.score)
        for member in result.members
    ]


async def test_each_member_is_asked_once_as_itself() -> None:
    models = Models({"a": "x", "b": "x"})
    await Ensemble(models).run(asked("ab", Aggregation.MAJORITY), CONTEXT)
    assert models.requests == [
        Request(prompt="why?", temperature=0.7, model="a"),
        Request(prompt="why?", temperature=0.7, model="b"),
    ]
    assert models.contexts == [CONTEXT, CONTEXT]


async def test_no_fallback_speaks_for_a_member() -> None:
    wanted = Requirements(local_only=True)
    routing = Routing(requirements=wanted, fallbacks=["b"], fallback_to_capable=True)
    request = EnsembleRequest(replace(QUESTION, routing=routing), [Member("a"), Member("b")])
    models = Models({"a": "x", "b": "x"})
    await Ensemble(models).run(request, CONTEXT)
    assert [asked.routing for asked in models.requests] == [Routing(requirements=wanted)] * 2


async def test_members_run_side_by_side() -> None:
    models = Models({"a": "x", "b": "x", "c": "x"})
    models.hold("a", "b", "c")
    running = asyncio.ensure_future(
        Ensemble(models).run(asked("abc", Aggregation.MAJORITY), CONTEXT)
    )
    await until(lambda: len(models.requests) == 3)
    for gate in models.gates.values():
        gate.set()
    await running


async def test_the_majority_wins_whatever_the_case_and_the_space() -> None:
    models = Models({"a": "No.", "b": " YES \n indeed", "c": "yes indeed"})
    result = await Ensemble(models).run(asked("abc", Aggregation.MAJORITY), CONTEXT)
    assert result.response.response == " YES \n indeed"
    assert result.response.model_used == "b"
    assert outcome(result) == [
        ("a", "No.", pytest.approx(1 / 3)),
        ("b", " YES \n indeed", pytest.approx(2 / 3)),
        ("c", "yes indeed", pytest.approx(2 / 3)),
    ]


async def test_weights_win_over_votes_where_they_count() -> None:
    models = Models({"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"})
    result = await Ensemble(models).run(asked("abcde", Aggregation.WEIGHTED), CONTEXT)
    assert result.response.response == "y"
    assert [member.score for member in result.members] == pytest.approx(
        [3 / 15, 3 / 15, 7 / 15, 7 / 15, 5 / 15]
    )


async def test_the_first_whole_answer_cancels_the_rest() -> None:
    models = Models({"a": "slow", "b": UnavailableError("away"), "c": "fast"})
    models.hold("a", "c")
    running = asyncio.ensure_future(Ensemble(models).run(asked("abc", Aggregation.FIRST), CONTEXT))
    await settle()
    assert not running.done()
    models.gates["c"].set()
    result = await running
    assert result.response.response == "fast"
    assert models.cancelled == ["a"]
    assert outcome(result) == [("a", None, 0.0), ("b", None, 0.0), ("c", "fast", 1.0)]
    first, second, third = (member.error for member in result.members)
    assert isinstance(first, UnavailableError)
    assert first.message.startswith("cancelled")
    assert second is models.answers["b"]
    assert third is None


async def test_the_first_waits_for_as_many_as_must_answer() -> None:
    models = Models({"a": "1", "b": "2", "c": "3"})
    models.hold("a", "b", "c")
    request = asked("abc", Aggregation.FIRST, minimum=2)
    running = asyncio.ensure_future(Ensemble(models).run(request, CONTEXT))
    await settle()
    models.gates["c"].set()
    await settle()
    assert not running.done()
    models.gates["a"].set()
    result = await running
    assert outcome(result) == [("a", "1", 0.0), ("b", None, 0.0), ("c", "3", 1.0)]


async def test_the_judge_picks_by_the_number_of_those_that_answered() -> None:
    models = Models({"a": UnavailableError("away"), "b": "x", "c": "y", "j": "Number 2, not 1."})
    request = asked("abc", Aggregation.BEST_OF, judge="j")
    result = await Ensemble(models).run(request, CONTEXT)
    assert outcome(result) == [("a", None, 0.0), ("b", "x", 0.0), ("c", "y", 1.0)]
    assert result.response.response == "y"
    question = models.requests[-1]
    assert (question.model, question.temperature, question.priority) == ("j", 0, Priority.NORMAL)
    assert [message.role for message in question.messages] == [Role.SYSTEM, Role.USER]
    assert models.contexts[-1] is CONTEXT


async def test_an_only_answer_needs_no_judge() -> None:
    models = Models({"a": UnavailableError("away"), "b": "x", "j": RouterError("asked")})
    result = await Ensemble(models).run(asked("ab", Aggregation.BEST_OF, judge="j"), CONTEXT)
    assert result.response.response == "x"
    assert [request.model for request in models.requests] == ["a", "b"]


async def test_the_judges_failure_is_the_wholes() -> None:
    failure = RateLimitError("slow down", retry_after=2)
    models = Models({"a": "x", "b": "y", "j": failure})
    with pytest.raises(RateLimitError) as caught:
        await Ensemble(models).run(asked("ab", Aggregation.BEST_OF, judge="j"), CONTEXT)
    assert caught.value is failure
    models = Models({"a": "x", "b": "y", "j": "none of them"})
    with pytest.raises(ProviderFailedError, match="none of the answers 1 to 2"):
        await Ensemble(models).run(asked("ab", Aggregation.BEST_OF, judge="j"), CONTEXT)


async def test_tokens_and_cost_are_those_of_all_and_the_time_that_of_the_whole() -> None:
    numbers = {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cached_tokens": 3,
        "cache_write_tokens": 4,
        "reasoning_tokens": 5,
        "cost_usd": 0.5,
        "saved_cost_usd": 0.25,
    }
    chosen = {**numbers, "queue_ms": 7, "first_token_ms": 8, "duration_ms": 9}
    models = Models(
        {
            "a": answer("x", "a", **numbers, queue_ms=100, duration_ms=1000),
            "b": answer("y", "b", **chosen),
            "c": UnavailableError("away"),
            "j": answer("2", "j", **numbers),
        }
    )
    clock = itertools.count(10.0, 2.5)
    request = asked("abc", Aggregation.BEST_OF, judge="j")
    result = await Ensemble(models, lambda: next(clock)).run(request, CONTEXT)
    assert result.response.metrics == Metrics(
        prompt_tokens=3,
        completion_tokens=6,
        cached_tokens=9,
        cache_write_tokens=12,
        reasoning_tokens=15,
        cost_usd=1.5,
        saved_cost_usd=0.75,
        duration_ms=2500.0,
        queue_ms=7,
        first_token_ms=8,
    )
    assert result.members[1].response == models.answers["b"]


async def test_members_that_fail_alike_make_their_error_the_wholes() -> None:
    failure = TimeLimitError("too late")
    models = Models({"a": failure, "b": TimeLimitError("late too")})
    with pytest.raises(TimeLimitError) as caught:
        await Ensemble(models).run(asked("ab", Aggregation.MAJORITY), CONTEXT)
    assert caught.value is failure


async def test_members_that_fail_differently_are_all_named() -> None:
    models = Models({"a": TimeLimitError("late"), "b": RateLimitError("slow", retry_after=1)})
    with pytest.raises(UnavailableError) as caught:
        await Ensemble(models).run(asked("ab", Aggregation.MAJORITY), CONTEXT)
    expected = "0 of 2 members answered, 1 must (a: TIME_LIMIT, b: RATE_LIMITED)"
    assert caught.value.message == expected


@pytest.mark.parametrize("aggregation", [Aggregation.FIRST, Aggregation.WEIGHTED])
async def test_too_few_answers_fail_the_whole(aggregation: Aggregation) -> None:
    models = Models({"a": "x", "b": TimeLimitError("late"), "c": TimeLimitError("late")})
    with pytest.raises(UnavailableError, match="1 of 3 members answered, 2 must"):
        await Ensemble(models).run(asked("abc", aggregation, minimum=2), CONTEXT)
    enough = await Ensemble(models).run(asked("abc", aggregation), CONTEXT)
    assert enough.response.response == "x"


async def test_cancelling_the_whole_cancels_every_member() -> None:
    models = Models({})
    models.hold("a", "b")
    running = asyncio.ensure_future(Ensemble(models).run(asked("ab", Aggregation.FIRST), CONTEXT))
    await until(lambda: len(models.requests) == 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(models.cancelled) == ["a", "b"]


async def test_a_mistake_of_ours_cancels_every_member() -> None:
    models = Models({})
    models.hold("b")
    with pytest.raises(KeyError):
        await Ensemble(models).run(asked("ab", Aggregation.MAJORITY), CONTEXT)
    assert models.cancelled == ["b"]


async def test_a_wrong_ensemble_asks_nobody() -> None:
    models = Models({"a": "x"})
    with pytest.raises(InvalidRequestError, match="minimum"):
        await Ensemble(models).run(asked("a", Aggregation.MAJORITY, minimum=2), CONTEXT)
    assert not models.requests


async def test_an_ensemble_of_a_real_runtime() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        result = await Ensemble(runtime.process).run(asked("ab", Aggregation.MAJORITY), CONTEXT)
    assert result.response.response == "why?"
    assert [member.response.model_used for member in result.members if member.response] == [
        "a",
        "b",
    ]
    assert result.response.metrics.completion_tokens == 8
    assert isinstance(result.response, Response)
    assert result.response.finish_reason is FinishReason.STOP
