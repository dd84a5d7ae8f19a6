from __future__ import annotations

from llm_runner_router.decision import Attempt
from llm_runner_router.tally import Tally
from llm_runner_router.types import Metrics


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_times_count_from_arrival() -> None:
    clock = Clock()
    tally = Tally(clock)
    clock.now += 1.0
    assert [tally.count(2), tally.count(3)] == [0, 1]
    clock.now += 1.0
    tally.count(1)
    tally.admission_ms = 10.0
    tally.provider = Metrics(prompt_tokens=4, queue_ms=5.0, first_token_ms=900.0)
    metrics = tally.metrics()
    assert (metrics.first_token_ms, metrics.duration_ms, metrics.queue_ms) == (1000.0, 2000.0, 15.0)
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (4, 6)


def test_a_chunk_without_numbered_tokens_is_the_first_too() -> None:
    clock = Clock()
    tally = Tally(clock)
    clock.now += 1.0
    tally.count(0)
    assert tally.first_token_ms == 1000.0


def test_what_the_provider_counted_replaces_estimates() -> None:
    tally = Tally()
    tally.count(9)
    tally.provider = Metrics(completion_tokens=5)
    assert tally.metrics().completion_tokens == 5


def test_the_cost_is_that_of_all_attempts() -> None:
    tally = Tally()
    tally.attempts += [Attempt("a", "p", cost_usd=1.0), Attempt("b", "p", cost_usd=2.0)]
    assert tally.cost_usd == tally.metrics().cost_usd == 3.0
    assert tally.metrics(cost_usd=2.0).cost_usd == 2.0
