from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.preferences import Strategy
from llm_runner_router.routing.roster import stable_hash
from llm_runner_router.routing.snapshot import Snapshot
from llm_runner_router.routing.strategies import STRATEGIES, Ask
from unit.routing.snapshots import columns

Q, C, S, L = "quality", "cost", "first_token_ms", "outstanding"
UNIT = st.floats(0, 1)
MAYBE_UNIT = st.none() | UNIT
AMOUNT = st.floats(1e-6, 1e6)
VALUES = {
    Q: MAYBE_UNIT,
    C: st.none() | AMOUNT,
    S: st.none() | AMOUNT,
    "error_rate": UNIT,
    "samples": st.integers(0, 1000),
    L: st.integers(0, 100_000),
    "reward": UNIT,
    "rewards": st.floats(0, 50),
    "share": UNIT,
    "weights": st.floats(0, 100),
    "capabilities": st.lists(st.sampled_from("abcd"), unique=True),
}


@st.composite
def anything(draw: st.DrawFn) -> Snapshot:
    size = draw(st.integers(1, 8))
    return columns(
        size,
        **{name: draw(st.lists(v, min_size=size, max_size=size)) for name, v in VALUES.items()},
    )


def ask(seed: int = 1, **values: Any) -> Ask:
    return Ask(np.random.default_rng(seed), **values)


def total(strategy: Strategy, snapshot: Snapshot, **values: Any) -> list[float]:
    return STRATEGIES[strategy](snapshot, ask(**values)).total.tolist()


def winner(strategy: Strategy, snapshot: Snapshot, asked: Ask) -> int:
    return STRATEGIES[strategy](snapshot, asked).first(snapshot, 1)[0]


@pytest.mark.parametrize("strategy", Strategy)
@given(snapshot=anything(), turn=st.integers(0, 100), weights=st.tuples(AMOUNT, UNIT, UNIT))
def test_scores_and_their_parts_are_bounded(
    strategy: Strategy, snapshot: Snapshot, turn: int, weights: tuple[float, float, float]
) -> None:
    scores = STRATEGIES[strategy](snapshot, ask(turn=turn, key=7, weights=weights))
    for column in (scores.total, *scores.parts.values()):
        assert column.shape == (len(snapshot),)
        assert np.all(column >= 0.0)
        assert np.all(column <= 1.0 + 1e-12)
    best = scores.first(snapshot, len(snapshot))
    assert sorted(best) == list(range(len(snapshot)))
    told = [scores.candidate("m", index).score for index in best]
    assert all(0.0 <= score <= 1.0 for score in told)
    assert all(one >= other - 1e-8 for one, other in pairwise(told))


FACTORS = [
    (Strategy.QUALITY_FIRST, Q, 1),
    (Strategy.COST_OPTIMIZED, C, -1),
    (Strategy.SPEED_PRIORITY, S, -1),
    (Strategy.BALANCED, Q, 1),
    (Strategy.BALANCED, C, -1),
    (Strategy.BALANCED, S, -1),
    (Strategy.LEAST_LOADED, L, -1),
    (Strategy.PREFIX_AFFINITY, "share", 1),
    (Strategy.PREFIX_AFFINITY, L, -1),
    (Strategy.CAPABILITY_MATCH, Q, 1),
    (Strategy.WEIGHTED, "weights", 1),
    (Strategy.CANARY, "weights", 1),
]
COUNTED = st.lists(st.integers(1, 1000), min_size=2, max_size=6)


@pytest.mark.parametrize(("strategy", "factor", "sign"), FACTORS)
@given(values=COUNTED, more=st.integers(1, 1000))
def test_scores_are_monotone_in_each_factor(
    strategy: Strategy, factor: str, sign: int, values: list[int], more: int
) -> None:
    """A candidate that gets better loses to nobody whom it has beaten before."""
    unit = 2000.0 if factor in {Q, "share"} else 1.0
    before = total(strategy, snapshot_of(factor, values, unit))
    better = (
        [values[0] + more, *values[1:]] if sign > 0 else [max(0, values[0] - more), *values[1:]]
    )
    after = total(strategy, snapshot_of(factor, better, unit))
    assert 0.0 <= after[0] <= 1.0 + 1e-12
    for rival in range(1, len(values)):
        if before[0] >= before[rival]:
            assert after[0] >= after[rival] - 1e-12


def snapshot_of(factor: str, values: Sequence[float], unit: float) -> Snapshot:
    return columns(len(values), **{factor: [value / unit for value in values]})


@pytest.mark.parametrize(
    ("strategy", "factor"),
    [(strategy, factor) for strategy, factor, _ in FACTORS if factor in {C, S, "weights"}],
)
@given(values=COUNTED, scale=st.floats(1e-3, 1e3))
def test_no_unit_matters(strategy: Strategy, factor: str, values: list[int], scale: float) -> None:
    one = total(strategy, snapshot_of(factor, values, 1.0))
    other = total(strategy, snapshot_of(factor, values, scale))
    assert one == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize(
    ("strategy", "factor"),
    [
        (Strategy.QUALITY_FIRST, Q),
        (Strategy.COST_OPTIMIZED, C),
        (Strategy.SPEED_PRIORITY, S),
        (Strategy.BALANCED, S),
    ],
)
def test_equals_score_alike_and_the_least_measured_goes_first(
    strategy: Strategy, factor: str
) -> None:
    snapshot = columns(3, **{factor: [0.5] * 3}, samples=[9, 3, 5])
    scores = STRATEGIES[strategy](snapshot, ask())
    assert len(set(scores.total.tolist())) == 1
    assert scores.parts[factor if factor != S else "speed"].tolist() == [1.0] * 3
    assert scores.first(snapshot, 3) == [1, 2, 0]


def test_the_unmeasured_is_tried_until_something_runs_there() -> None:
    times = [100.0, 900.0, None]
    idle = columns(3, first_token_ms=times)
    assert total(Strategy.SPEED_PRIORITY, idle) == [1.0, 0.0, 1.0]
    busy = columns(3, first_token_ms=times, outstanding=[0, 0, 50])
    assert total(Strategy.SPEED_PRIORITY, busy) == [1.0, 0.0, 0.5]
    failing = columns(3, first_token_ms=times, error_rate=[0.0, 0.0, 0.75])
    assert total(Strategy.SPEED_PRIORITY, failing) == [1.0, 0.0, 0.25]


def test_what_trying_does_not_tell_is_middling() -> None:
    assert total(Strategy.QUALITY_FIRST, columns(3, quality=[0.9, None, 0.1])) == [1.0, 0.5, 0.0]
    assert total(Strategy.COST_OPTIMIZED, columns(3, cost=[9.0, None, 1.0])) == [0.0, 0.5, 1.0]


def test_failures_make_slow() -> None:
    snapshot = columns(3, first_token_ms=[100.0, 60.0, 300.0], error_rate=[0.0, 0.5, 0.0])
    assert total(Strategy.SPEED_PRIORITY, snapshot) == pytest.approx([1.0, 0.9, 0.0])


@pytest.mark.parametrize(
    ("weights", "scores"),
    [((1, 0, 0), [1.0, 0.0]), ((0, 0, 2), [0.0, 1.0]), ((0, 0, 0), [2 / 3, 1 / 3])],
)
def test_weights_balance(weights: tuple[float, float, float], scores: list[float]) -> None:
    snapshot = columns(2, quality=[0.9, 0.1], cost=[1.0, 2.0], first_token_ms=[20.0, 10.0])
    assert total(Strategy.BALANCED, snapshot, weights=weights) == pytest.approx(scores)


@given(size=st.integers(1, 9), turns=st.integers(1, 60))
def test_round_robin_is_fair_to_within_one(size: int, turns: int) -> None:
    snapshot = columns(size)
    chosen = [winner(Strategy.ROUND_ROBIN, snapshot, ask(turn=turn)) for turn in range(turns)]
    counts = [chosen.count(row) for row in range(size)]
    assert max(counts) - min(counts) <= 1
    assert chosen[:size] == list(range(min(size, turns)))


def within_bounds(counts: Counter[int], shares: Sequence[float], draws: int) -> bool:
    """Whether each count is within five standard deviations of what its share says."""
    return all(
        abs(counts[row] - share * draws) <= 5 * sqrt(draws * share * (1 - share)) + 1e-9
        for row, share in enumerate(shares)
    )


@pytest.mark.parametrize("weights", [[1.0, 1.0, 2.0], [95.0, 5.0, 0.0], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("strategy", [Strategy.WEIGHTED, Strategy.CANARY])
def test_shares_follow_the_weights(strategy: Strategy, weights: list[float]) -> None:
    snapshot, draws = columns(3, weights=weights), 5000
    chance = np.random.default_rng(5)
    counts = Counter(
        winner(strategy, snapshot, Ask(chance, key=stable_hash(str(number))))
        for number in range(draws)
    )
    whole = sum(weights)
    shares = [weight / whole if whole else 1 / 3 for weight in weights]
    assert within_bounds(counts, shares, draws)


def test_random_is_even_and_repeatable() -> None:
    snapshot, draws, chance = columns(4), 4000, np.random.default_rng(5)
    counts = Counter(winner(Strategy.RANDOM, snapshot, Ask(chance)) for _ in range(draws))
    assert within_bounds(counts, [0.25] * 4, draws)
    assert total(Strategy.RANDOM, snapshot) == total(Strategy.RANDOM, snapshot)


@given(key=st.integers(0, 2**64 - 1))
def test_a_canary_key_moves_to_what_grows_and_nowhere_else(key: int) -> None:
    before = columns(3, weights=[90.0, 10.0, 50.0])
    after = columns(3, weights=[90.0, 40.0, 50.0])
    first = winner(Strategy.CANARY, before, ask(1, key=key))
    assert winner(Strategy.CANARY, before, ask(2, key=key)) == first
    assert winner(Strategy.CANARY, after, ask(1, key=key)) in {first, 1}


def test_the_less_loaded_of_two_wins_and_the_most_loaded_never() -> None:
    snapshot, chance = columns(4, outstanding=[100, 0, 200, 50]), np.random.default_rng(5)
    counts = Counter(winner(Strategy.LEAST_LOADED, snapshot, Ask(chance)) for _ in range(3000))
    # Of 6 pairs 3 have the idlest, 2 the next without it, and 1 the third with the last.
    assert within_bounds(counts, [1 / 6, 3 / 6, 0.0, 2 / 6], 3000)


def test_the_best_match_has_the_least_to_spare_then_the_quality() -> None:
    snapshot = columns(
        4,
        capabilities=["abc", "ab", "ab", "abcd"],
        quality=[1.0, 0.2, 0.4, 0.9],
    )
    scores = STRATEGIES[Strategy.CAPABILITY_MATCH](snapshot, ask(capabilities=frozenset("ab")))
    assert scores.first(snapshot, 4) == [2, 1, 0, 3]


def test_affinity_yields_to_load() -> None:
    shares = [1.0, 0.0, 0.0]
    for outstanding, chosen in ((0, 0), (15, 0), (17, 1)):
        snapshot = columns(3, share=shares, outstanding=[outstanding, 0, 0], samples=[9, 0, 1])
        assert winner(Strategy.PREFIX_AFFINITY, snapshot, ask()) == chosen


def test_the_bandit_prefers_what_callers_praise_and_still_tries_the_unknown() -> None:
    snapshot = columns(
        4,
        first_token_ms=[100.0, 100.0, 100.0, None],
        samples=[50, 50, 50, 0],
        reward=[0.9, 0.2, 0.0, 0.0],
        rewards=[50.0, 50.0, 0.0, 0.0],
        error_rate=[0.0, 0.0, 0.9, 0.0],
    )
    chance = np.random.default_rng(5)
    counts = Counter(winner(Strategy.ADAPTIVE, snapshot, Ask(chance)) for _ in range(1000))
    assert counts[0] > counts[3] > 30
    assert counts[1] == counts[2] == 0


@given(st.lists(st.integers(0, 5), min_size=65, max_size=90), st.integers(1, 6))
def test_the_first_of_many_are_those_of_a_full_sort(values: list[int], count: int) -> None:
    snapshot = columns(len(values), quality=[value / 5 for value in values])
    scores = STRATEGIES[Strategy.QUALITY_FIRST](snapshot, ask())
    best = [values[row] for row in scores.first(snapshot, count)]
    assert best == sorted(values, reverse=True)[:count]
