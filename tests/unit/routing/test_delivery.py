from __future__ import annotations

import pytest

from llm_runner_router.providers.base import Accepted, Delta, Finished, Progress, ProviderEvent
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.delivery import Delivery, delta_tokens
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request

LOCAL = ModelRecord("m", "", ModelFormat.GGUF, "m.gguf")
REMOTE = ModelRecord("m", "", ModelFormat.API, "gpt")
ACCEPTED = Accepted(metrics=Metrics(prompt_tokens=9))


def delivered(record: ModelRecord, *events: ProviderEvent, held_up: float = 0.0) -> Delivery:
    """Events that take a second each."""
    delivery = Delivery(record, Request(prompt="12345678"))
    for event in events:
        delivery.note(event, waited=1.0, held_up=held_up)
    return delivery


def finished(**metrics: int) -> Finished:
    return Finished(FinishReason.STOP, Metrics(**metrics))


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        (Delta("whatever that is", (1, 2)), 2),
        (Delta("a"), 1),
        (Delta("12345"), 2),
        (Delta(""), 0),
        (Delta("", tool_calls=(ToolCallDelta(0, "id"),)), 1),
        (Delta("", tool_calls=(ToolCallDelta(0, "", "f", "12345678"),)), 3),
    ],
)
def test_tokens_of_a_delta(delta: Delta, tokens: int) -> None:
    assert delta_tokens(delta) == tokens


def test_nothing_is_paid_before_it_has_begun() -> None:
    assert delivered(REMOTE).metrics() == Metrics()


def test_what_came_is_paid() -> None:
    metrics = delivered(LOCAL, ACCEPTED, Delta("x", (1, 2)), Delta("y", (3,))).metrics()
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (9, 3)


def test_only_an_api_leaves_its_prompt_to_be_estimated() -> None:
    assert delivered(REMOTE, Accepted()).metrics().prompt_tokens == 2
    assert delivered(REMOTE, ACCEPTED).metrics().prompt_tokens == 9
    assert delivered(LOCAL, Accepted()).metrics().prompt_tokens == 0


def test_the_final_usage_replaces_estimates() -> None:
    long = Delta("a very long text of one token")
    usage = finished(prompt_tokens=5, completion_tokens=1, reasoning_tokens=1)
    assert delivered(REMOTE, ACCEPTED, long, usage).metrics() == usage.metrics


def test_without_final_usage_estimates_stay() -> None:
    metrics = delivered(REMOTE, Accepted(), Delta("12345678"), finished()).metrics()
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (2, 2)


def test_times_to_the_first_and_of_the_other_tokens() -> None:
    delivery = delivered(LOCAL, ACCEPTED, Delta("x", (1,)), Delta("y", (2, 3)), finished())
    assert delivery.first_token_ms() == 2000.0
    assert delivery.token_ms() == 1000.0


def test_too_little_shows_no_speed() -> None:
    assert delivered(LOCAL, ACCEPTED).first_token_ms() is None
    assert delivered(LOCAL, ACCEPTED).token_ms() is None
    assert delivered(LOCAL, ACCEPTED, Delta("x", (1, 2)), finished()).token_ms() is None


def test_a_consumer_that_takes_its_time_shows_no_speed() -> None:
    events = ACCEPTED, Delta("x", (1,)), Delta("y", (2,)), finished()
    assert delivered(LOCAL, *events, held_up=1.1).token_ms() is None
    assert delivered(LOCAL, *events, held_up=0.9).token_ms() == 2000.0
    assert delivered(LOCAL, *events, held_up=1.1).first_token_ms() == 2000.0


def test_thoughts_before_the_answer_are_paid() -> None:
    metrics = delivered(REMOTE, Progress("12345678"), Progress("")).metrics()
    found = metrics.prompt_tokens, metrics.completion_tokens, metrics.reasoning_tokens
    assert found == (2, 2, 2)
    assert delivered(REMOTE, Progress("")).metrics() == Metrics()


def test_the_providers_count_of_thoughts_goes_before_the_estimate() -> None:
    told = finished(prompt_tokens=5, completion_tokens=9, reasoning_tokens=7)
    assert delivered(REMOTE, Progress("1234"), ACCEPTED, told).metrics() == told.metrics
    silent = finished(prompt_tokens=5, completion_tokens=2)
    thinking = delivered(REMOTE, Progress("123456789"), ACCEPTED, silent)
    assert thinking.metrics().reasoning_tokens == 2


def test_who_has_thought_is_alive() -> None:
    assert not delivered(REMOTE, Progress("")).alive
    assert delivered(REMOTE, Progress("x")).alive
    assert not delivered(REMOTE, Progress("x")).begun
    assert delivered(REMOTE, ACCEPTED).alive


def test_thoughts_are_neither_the_first_token_nor_measured_as_its_speed() -> None:
    thoughts = Progress("1234"), Progress("1234")
    usage = finished(prompt_tokens=5, completion_tokens=5, reasoning_tokens=2)
    said = Delta("x", (1,)), Delta("y", (2,)), Delta("z", (3,))
    delivery = delivered(REMOTE, *thoughts, ACCEPTED, *said, usage)
    assert delivery.first_token_ms() == 4000.0
    assert delivery.token_ms() == 1500.0
