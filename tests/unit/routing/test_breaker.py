from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_runner_router.config.routing import RoutingConfig
from llm_runner_router.routing.breaker import Breakers, Trial

CONFIG = RoutingConfig(breaker_failures=3, breaker_cooldown=10.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breakers(clock: Clock) -> Breakers:
    return Breakers(lambda: CONFIG, clock)


def begun(breakers: Breakers) -> Trial:
    trial = breakers.begin("m")
    assert trial is not None
    return trial


def open_circuit(breakers: Breakers) -> None:
    for _ in range(3):
        begun(breakers).failed()


def test_failures_in_a_row_open_the_circuit(breakers: Breakers) -> None:
    for _ in range(2):
        begun(breakers).failed()
    begun(breakers).succeeded()
    for _ in range(2):
        begun(breakers).failed()
    assert breakers.allows("m")
    begun(breakers).failed()
    assert not breakers.allows("m")
    assert breakers.begin("m") is None
    assert breakers.allows("other")


def test_the_cooldown_runs_from_the_last_failure(breakers: Breakers, clock: Clock) -> None:
    assert breakers.opens_in("m") == 0.0
    open_circuit(breakers)
    clock.now = 4.0
    assert breakers.opens_in("m") == 6.0
    clock.now = 10.0
    assert breakers.opens_in("m") == 0.0
    assert breakers.allows("m")


def test_one_probe_at_a_time(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    begun(breakers)
    assert not breakers.allows("m")
    assert breakers.begin("m") is None


def test_a_probe_that_succeeds_closes_the_circuit(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    begun(breakers).succeeded()
    begun(breakers).failed()
    assert breakers.allows("m")


def test_a_probe_that_fails_opens_it_again(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    begun(breakers).failed()
    assert breakers.opens_in("m") == 10.0
    clock.now = 20.0
    assert breakers.allows("m")


def test_an_abandoned_probe_is_given_back(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    begun(breakers).abandoned()
    assert breakers.allows("m")


def test_abandoned_attempts_count_as_nothing(breakers: Breakers) -> None:
    begun(breakers).failed()
    begun(breakers).abandoned()
    begun(breakers).failed()
    begun(breakers).failed()
    assert not breakers.allows("m")


def test_who_began_before_has_no_say_once_it_is_open(breakers: Breakers, clock: Clock) -> None:
    early = [begun(breakers) for _ in range(3)]
    open_circuit(breakers)
    early[0].succeeded()
    assert not breakers.allows("m")
    clock.now = 10.0
    begun(breakers)
    early[1].abandoned()
    assert not breakers.allows("m")
    early[2].failed()
    assert breakers.opens_in("m") == 0.0


def test_only_the_first_result_counts(breakers: Breakers) -> None:
    trial = begun(breakers)
    for _ in range(9):
        trial.failed()
    assert breakers.allows("m")


def test_what_is_known_of_a_model_can_be_forgotten(breakers: Breakers) -> None:
    begun(breakers).postponed(9.0)
    open_circuit(breakers)
    breakers.forget("m")
    assert breakers.allows("m")
    assert breakers.resting() == {}


def test_a_probe_that_begins_to_answer_closes_the_circuit(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    probe = begun(breakers)
    probe.accepted()
    assert breakers.allows("m")
    for _ in range(2):
        begun(breakers).failed()
    assert breakers.allows("m")
    probe.failed()
    assert not breakers.allows("m")


def test_to_begin_an_answer_is_not_to_finish_it(breakers: Breakers) -> None:
    for _ in range(3):
        trial = begun(breakers)
        trial.accepted()
        trial.failed()
    assert not breakers.allows("m")


def test_a_model_is_left_alone_for_as_long_as_it_asks(breakers: Breakers, clock: Clock) -> None:
    begun(breakers).postponed(9.0)
    begun(breakers).postponed(5.0)
    clock.now = 4.0
    assert breakers.resting() == {"m": 5.0}
    assert breakers.allows("m")
    clock.now = 9.0
    assert breakers.resting() == {}


def test_nobody_is_left_alone_for_longer_than_a_minute(breakers: Breakers) -> None:
    begun(breakers).postponed(86_400.0)
    assert breakers.resting() == {"m": 60.0}


def test_a_wish_to_be_left_alone_gives_a_probe_back(breakers: Breakers, clock: Clock) -> None:
    open_circuit(breakers)
    clock.now = 10.0
    begun(breakers).postponed(5.0)
    assert breakers.allows("m")


class Circuit(RuleBasedStateMachine):
    """One probe at a time, and never stuck, whatever the order of results."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breakers = Breakers(lambda: CONFIG, self.clock)
        self.trials: list[Trial] = []
        self.probes: list[Trial] = []

    @rule()
    def begin(self) -> None:
        opened = self.breakers._breakers.get("m")
        half_open = opened is not None and opened.opened_at is not None
        trial = self.breakers.begin("m")
        if trial is not None:
            self.trials.append(trial)
            if half_open:
                self.probes.append(trial)

    @precondition(lambda self: self.trials)
    @rule(data=st.data(), result=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def end(self, data: st.DataObject, result: str) -> None:
        trial = self.trials.pop(data.draw(st.integers(0, len(self.trials) - 1)))
        if trial in self.probes:
            self.probes.remove(trial)
        getattr(trial, result)()

    @rule(seconds=st.sampled_from([1.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def at_most_one_probe(self) -> None:
        assert len(self.probes) <= 1
        if self.probes:
            assert not self.breakers.allows("m")

    def teardown(self) -> None:
        for trial in self.trials:
            trial.abandoned()
        self.clock.now += 10.0
        assert self.breakers.allows("m")


TestCircuit = Circuit.TestCase
