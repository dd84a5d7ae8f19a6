from __future__ import annotations

import pytest

from llm_runner_router.registry.sources.web.rate import Rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_known_at_first() -> None:
    rate = Rate(Clock(), 500)
    rate.add(700)  # in no time
    assert rate.bytes_per_second == 0.0
    assert rate.remaining(1000) is None


def test_a_steady_rate_is_told_at_once_and_stays() -> None:
    clock = Clock()
    rate = Rate(clock, 500)
    for done in range(600, 2000, 100):
        clock.now += 0.5
        rate.add(done)
        assert rate.bytes_per_second == pytest.approx(200.0)
    assert rate.remaining(2900) == pytest.approx(5.0)
    assert rate.remaining(1000) == 0.0
    assert rate.remaining(0) is None


def test_a_change_is_smoothed_and_then_believed() -> None:
    clock = Clock()
    rate = Rate(clock)
    done = 0
    for _ in range(40):
        clock.now, done = clock.now + 0.5, done + 1000
        rate.add(done)
    clock.now += 0.5
    rate.add(done)
    assert 1500.0 < rate.bytes_per_second < 2000.0
    clock.now += 60.0
    rate.add(done)
    assert rate.bytes_per_second < 1.0


def test_what_begins_anew_is_measured_anew() -> None:
    clock = Clock()
    rate = Rate(clock)
    clock.now += 1.0
    rate.add(1000)
    rate.add(0)
    assert rate.bytes_per_second == 0.0
    clock.now += 1.0
    rate.add(10)
    assert rate.bytes_per_second == pytest.approx(10.0)


def test_bytes_of_one_moment_are_counted_in_the_next() -> None:
    clock = Clock()
    rate = Rate(clock)
    rate.add(100)
    clock.now += 1.0
    rate.add(200)
    assert rate.bytes_per_second == pytest.approx(200.0)
