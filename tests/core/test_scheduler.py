"""The scheduler on a model that is a hash of the cache: nothing leaks, nobody starves."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.scheduler_driver import Driver, answer
from llm_runner_router import _core


class SchedulerMachine(RuleBasedStateMachine):
    """Anything at any time; in the end every answer is the one that it gives alone."""

    config: ClassVar[dict[str, Any]] = {"blocks": 9, "context_length": 34}

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver(**self.config)
        self.scheduler = self.driver.scheduler
        self.prompts: dict[int, list[int]] = {}
        self.alive: set[int] = set()
        self.paused: set[int] = set()
        self.held: set[int] = set()
        self.count = 0

    @rule(
        shared=st.integers(0, 12),
        own=st.lists(st.integers(0, 3), min_size=1, max_size=8),
        max_tokens=st.integers(1, 12),
        deadline=st.one_of(st.just(math.inf), st.floats(0, 200)),
        caller=st.integers(0, 2),
        hold=st.booleans(),
        score_prompt=st.booleans(),
    )
    def submit(self, shared: int, own: list[int], max_tokens: int, **more: object) -> None:
        self.count += 1
        self.prompts[self.count] = [1] * shared + own
        self.driver.submit(self.count, self.prompts[self.count], max_tokens, **more)
        self.alive.add(self.count)
        if more["hold"]:
            self.held.add(self.count)

    @rule(steps=st.integers(1, 4), seconds=st.floats(0, 10))
    def step(self, steps: int, seconds: float) -> None:
        self.driver.now += seconds
        for _ in range(steps):
            took_part = self.driver.step()
            assert not self.paused & set(took_part)
            self.alive -= self.driver.finished
            self.paused -= self.driver.finished

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        sequence = data.draw(st.sampled_from(sorted(self.alive)))
        self.scheduler.cancel(sequence)
        assert self.scheduler.find(sequence) is None
        for group in (self.alive, self.paused, self.held):
            group.discard(sequence)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), paused=st.booleans())
    def pause(self, data: st.DataObject, paused: bool) -> None:
        sequence = data.draw(st.sampled_from(sorted(self.alive)))
        self.scheduler.set_paused(sequence, paused)
        (self.paused.add if paused else self.paused.discard)(sequence)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        sequence = data.draw(st.sampled_from(sorted(self.held)))
        self.scheduler.release(sequence)
        self.held.discard(sequence)

    @invariant()
    def waiting_sequences_hold_nothing(self) -> None:
        stats = self.scheduler.stats()
        found = [self.scheduler.find(sequence) for sequence in self.alive]
        assert stats.running == sum(s.running for s in found)
        assert stats.waiting == sum(not s.running for s in found)
        assert all(s.running or not s.blocks for s in found)
        blocks = {block for s in found for block in s.blocks}
        assert self.scheduler.blocks_held >= len(blocks)
        if not stats.held:
            assert self.scheduler.blocks_held == len(blocks)

    def teardown(self) -> None:
        for sequence in self.paused:
            self.scheduler.set_paused(sequence, False)
        total = sum(len(self.prompts[s]) + self.driver.limits[s] for s in self.alive)
        self.driver.run_until_idle(limit=40 * total + 40)
        assert self.alive <= self.driver.finished
        for sequence in self.driver.finished:
            expected = answer(self.prompts[sequence], self.driver.limits[sequence])
            assert self.driver.answers[sequence] == expected
            if sequence in self.driver.scoring:
                rows = self.driver.scored[sequence]
                assert rows == list(range(len(self.prompts[sequence])))
        for sequence in self.prompts:
            self.scheduler.release(sequence)
        assert self.scheduler.blocks_held == 0
        assert self.scheduler.stats().held == 0


class TightMachine(SchedulerMachine):
    """Narrow in every limit, without cache."""

    config: ClassVar[dict[str, Any]] = {
        "blocks": 8,
        "context_length": 34,
        "max_sequences": 3,
        "batch_tokens": 3,
        "max_outputs": 2,
        "prefix_cache": False,
    }


TestScheduler = SchedulerMachine.TestCase
TestScheduler.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestTightScheduler = TightMachine.TestCase
TestTightScheduler.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


# --- order


def test_decode_goes_beside_chunks_of_a_long_prompt() -> None:
    driver = Driver(blocks=40, batch_tokens=8, context_length=100)
    driver.submit(1, [1], 20)
    driver.step()
    driver.submit(2, list(range(40)), 1)
    steps = [driver.step() for _ in range(6)]
    assert steps == [[1, 2]] * 6  # 6 times (1 + 7) tokens: 1 never waits for 2's prompt


def test_prompts_go_by_the_earlier_of_deadline_and_horizon() -> None:
    driver = Driver(blocks=40, batch_tokens=4, max_sequences=1, horizon=60.0)
    driver.submit(1, [1] * 4, 1, deadline=1000.0)  # lax: the horizon counts
    driver.submit(2, [2] * 4, 1, deadline=30.0)
    driver.now = 1.0
    driver.submit(3, [3] * 4, 1)
    assert [driver.step() for _ in range(3)] == [[2], [1], [3]]


def test_nobody_starves_behind_shorter_deadlines() -> None:
    """A request is answered though each step brings more urgent ones, of the same caller."""
    driver = Driver(blocks=16, batch_tokens=8, max_sequences=2, horizon=50.0)
    driver.submit(1, [1] * 8, 4)
    for step in range(2, 200):
        driver.submit(step, [step % 40] * 8, 1, deadline=driver.now + 5.0)
        driver.step()
        driver.now += 1.0
        if 1 in driver.finished:
            break
    assert driver.now <= 80.0


@pytest.mark.parametrize("longest", [8, 24, 50])
def test_callers_that_always_want_more_get_the_same_within_the_window(longest: int) -> None:
    """One caller asks with longer prompts and nearer deadlines; the tokens stay even."""
    window, batch, slots = 64, 16, 4
    driver = Driver(blocks=64, batch_tokens=batch, max_sequences=slots, fairness_window=window)
    callers: dict[int, int] = {}
    for _ in range(300):
        for caller, length, deadline in ((1, longest, 1.0), (2, 8, 1000.0)):
            alive = sum(c == caller and s not in driver.finished for s, c in callers.items())
            for _ in range(8 - alive):
                sequence = len(callers) + 1
                callers[sequence] = caller
                prompt = [sequence // 50, *[sequence % 50] * (length - 1)]
                urgency = {"caller": caller, "deadline": driver.now + deadline}
                driver.submit(sequence, prompt, 1, **urgency)
        driver.step()
        driver.now += 0.01
        got = [sum(driver.computed[s] for s, c in callers.items() if c == who) for who in (1, 2)]
        # A slot once given is kept: the prompts under way may be finished first.
        assert abs(got[0] - got[1]) <= window + batch + slots * longest
    assert min(got) > 1500


def test_idle_time_earns_no_credit_and_leaving_clears_no_debt() -> None:
    driver = Driver(blocks=64, batch_tokens=8, max_sequences=1, fairness_window=8)
    for sequence in range(1, 11):
        driver.submit(sequence, [sequence] * 8, 1, caller=1)
    for _ in range(5):
        driver.step()
    for sequence in range(11, 21):  # caller 2 comes late: it starts level, not 40 tokens behind
        driver.submit(sequence, [sequence] * 8, 1, caller=2)
    order = [driver.step()[0] for _ in range(10)]
    assert 4 <= sum(sequence <= 10 for sequence in order) <= 6


# --- memory


def test_preempted_sequences_give_the_same_answers() -> None:
    driver = Driver(blocks=10, batch_tokens=16, max_sequences=4)
    prompts = {s: [s] * 9 for s in range(1, 5)}
    for sequence, prompt in prompts.items():
        driver.submit(sequence, prompt, 20)
    driver.run_until_idle()
    assert driver.scheduler.stats().preemptions > 0
    for sequence, prompt in prompts.items():
        assert driver.answers[sequence] == answer(prompt, 20)
    assert driver.scheduler.blocks_held == 0


def test_the_least_urgent_is_preempted_and_the_most_urgent_never() -> None:
    driver = Driver(blocks=8, batch_tokens=16, max_sequences=4)
    driver.submit(1, [1] * 8, 16, deadline=50.0)
    driver.submit(2, [2] * 8, 16, deadline=20.0)
    for _ in range(2):
        driver.step()
    assert driver.scheduler.find(1).running
    while driver.scheduler.stats().preemptions == 0:
        driver.step()
    assert not driver.scheduler.find(1).running
    assert driver.scheduler.find(2).running
    driver.run_until_idle()
    assert driver.finished == {1, 2}


def test_held_blocks_go_before_anybody_is_preempted() -> None:
    driver = Driver(blocks=8, max_sequences=2)
    driver.submit(1, [1] * 8, 1, hold=True)
    driver.submit(2, [2] * 8, 1, hold=True)
    driver.run_until_idle()
    assert (driver.scheduler.stats().held, driver.scheduler.blocks_held) == (2, 4)
    driver.submit(3, [3] * 20, 4)  # 6 blocks: the older conversation has to go
    driver.run_until_idle()
    stats = driver.scheduler.stats()
    assert (stats.held, stats.preemptions) == (1, 0)
    driver.submit(4, [2] * 8 + [7], 1)
    driver.step()
    assert driver.scheduler.stats().cached_tokens == 8  # the younger one is still there


def test_a_paused_sequence_keeps_its_blocks_until_they_are_needed() -> None:
    driver = Driver(blocks=6, max_sequences=1)
    driver.submit(1, [1] * 8, 8)
    driver.step()
    driver.scheduler.set_paused(1, True)
    driver.submit(2, [2] * 8, 4)  # a paused one takes no slot
    while 2 not in driver.finished:
        assert driver.step() == [2]
    assert driver.scheduler.find(1).running
    driver.submit(3, [3] * 20, 4)
    while 3 not in driver.finished:
        assert driver.step() == [3]
    assert not driver.scheduler.find(1).running
    assert driver.step() == []
    driver.scheduler.set_paused(1, False)
    driver.run_until_idle()
    assert driver.answers[1] == answer([1] * 8, 8)


# --- reuse


def test_a_shared_prefix_is_computed_once_and_the_last_token_always() -> None:
    driver = Driver(blocks=40, context_length=100, batch_tokens=64)
    driver.submit(1, [5] * 32, 1)
    driver.run_until_idle()
    driver.submit(2, [5] * 32, 1)
    driver.run_until_idle()
    assert (driver.computed[1], driver.computed[2]) == (32, 4)
    driver.submit(3, [5] * 32 + [6], 1)
    driver.run_until_idle()
    assert driver.computed[3] == 1
    assert driver.scheduler.stats().cached_tokens == 28 + 32


def test_answers_are_reused_by_the_next_turn() -> None:
    driver = Driver(blocks=40, context_length=100)
    driver.submit(1, [5] * 6, 7)
    driver.run_until_idle()
    driver.submit(2, [5] * 6 + driver.answers[1] + [9], 1)
    driver.step()
    assert driver.scheduler.stats().cached_tokens == 12  # 13 - 1 computed: three full blocks


def test_scoring_a_prompt_reuses_nothing_and_gives_every_row_once() -> None:
    driver = Driver(blocks=40, context_length=100, batch_tokens=16, max_outputs=5)
    driver.submit(1, [5] * 32, 1)
    driver.run_until_idle()
    driver.submit(2, [5] * 32, 1, score_prompt=True)
    driver.run_until_idle()
    assert driver.scored[2] == list(range(32))
    assert driver.computed[2] == 32


# --- what is refused


@pytest.mark.parametrize(
    ("prompt", "max_tokens", "reason"),
    [
        ([], 1, "EMPTY_PROMPT"),
        ([1] * 4, -1, "MAX_TOKENS"),
        ([1] * 64, 1, "CONTEXT_LENGTH_EXCEEDED"),
        ([1] * 33, 1, "KV_TOO_SMALL"),
        ([1] * 20, 14, "KV_TOO_SMALL"),
    ],
)
def test_what_can_never_fit_is_refused(prompt: list[int], max_tokens: int, reason: str) -> None:
    scheduler = _core.testing.Scheduler(blocks=8, block_size=4, context_length=64)
    with pytest.raises(_core.CoreError) as caught:
        scheduler.submit(1, prompt, max_tokens)
    assert caught.value.reason == reason


def test_the_largest_that_fits_is_taken() -> None:
    driver = Driver(blocks=8, context_length=64)
    driver.submit(1, [1] * 20, 13)
    driver.run_until_idle()
    assert driver.answers[1] == answer([1] * 20, 13)


def test_no_limit_means_as_far_as_context_and_cache_go() -> None:
    scheduler = _core.testing.Scheduler(blocks=8, block_size=4, context_length=64)
    scheduler.submit(1, [1] * 20, 0)
    assert scheduler.find(1).max_tokens == 13
    scheduler = _core.testing.Scheduler(blocks=80, block_size=4, context_length=64)
    scheduler.submit(1, [1] * 20, 0)
    assert scheduler.find(1).max_tokens == 44
    scheduler.submit(2, [1] * 20, 1000)
    assert scheduler.find(2).max_tokens == 44


def test_ids_are_used_once() -> None:
    scheduler = _core.testing.Scheduler(blocks=8)
    scheduler.submit(1, [1], 1)
    with pytest.raises(_core.CoreError, match="sequence 1 exists"):
        scheduler.submit(1, [1], 1)


def test_outcomes_are_checked() -> None:
    scheduler = _core.testing.Scheduler(blocks=8, batch_tokens=4)
    scheduler.submit(1, [1] * 6, 2)
    scheduler.schedule()
    with pytest.raises(_core.CoreError, match="before its prompt was computed"):
        scheduler.commit([(1, 5, False)])
    scheduler.commit([(1, None, False), (99, 5, True)])
    scheduler.schedule()
    with pytest.raises(_core.CoreError, match="got no token"):
        scheduler.commit([(1, None, False)])


def test_a_batch_that_failed_is_scheduled_again() -> None:
    scheduler = _core.testing.Scheduler(blocks=8)
    scheduler.submit(1, [1] * 6, 2)
    first = scheduler.schedule()
    again = scheduler.schedule()
    assert again.tokens == first.tokens == [1] * 6
    assert scheduler.stats().computed_tokens == 0


def test_deadlines_are_reported() -> None:
    scheduler = _core.testing.Scheduler(blocks=8)
    assert scheduler.next_deadline() == math.inf
    scheduler.submit(1, [1], 1, deadline=5.0)
    scheduler.submit(2, [1], 1, deadline=3.0)
    scheduler.submit(3, [1], 1)
    assert (scheduler.next_deadline(), scheduler.expired(4.0)) == (3.0, [2])


@pytest.mark.parametrize(
    "field", ["context_length", "max_sequences", "batch_tokens", "max_outputs", "fairness_window"]
)
def test_limits_are_checked(field: str) -> None:
    with pytest.raises(_core.CoreError, match=f"{field} is 0; allowed: at least 1"):
        _core.testing.Scheduler(blocks=8, **{field: 0})
