from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.records import MeasurementRow
from llm_runner_router.routing.measurements import ENOUGH, WINDOW, Expected, Measurements

TIMES = st.floats(0.0, 1e6)


def measured(*times: float) -> Measurements:
    measurements = Measurements()
    for time in times:
        measurements.observe("m", 10, first_token_ms=time, token_ms=time / 10, failed=False)
    return measurements


def test_nothing_is_known_at_first() -> None:
    assert Measurements().expected("m", 10) == Expected(None, None, 0.0, 0, 0.0, 0.0)
    assert Measurements().first_token_p95("m", 10) is None


def test_the_first_observations_are_averaged_and_later_ones_forgotten() -> None:
    assert measured(100.0, 200.0, 600.0).expected("m", 10).first_token_ms == pytest.approx(300.0)
    changed = measured(*[100.0] * 50, *[900.0] * 50).expected("m", 10)
    assert changed.first_token_ms == pytest.approx(900.0, rel=0.01)
    assert changed.token_ms == pytest.approx(90.0, rel=0.01)
    assert changed.samples == 100


@pytest.mark.parametrize(
    ("tokens", "same"),
    [(0, 255), (256, 2047), (2048, 16_383), (16_384, 10**6)],
)
def test_prompts_of_one_length_class_belong_together(tokens: int, same: int) -> None:
    measurements = Measurements()
    measurements.observe("m", tokens, first_token_ms=1.0, token_ms=None, failed=False)
    assert measurements.expected("m", same).samples == 1
    assert measurements.expected("m", same + 1).samples == int(same == 10**6)
    assert measurements.expected("other", same).samples == 0


def test_failures_raise_the_error_rate_and_successes_lower_it() -> None:
    measurements = measured(1.0)
    measurements.observe("m", 10, first_token_ms=None, token_ms=None, failed=True)
    after_one = measurements.expected("m", 10)
    assert 0.0 < after_one.error_rate < 0.5
    assert after_one.first_token_ms == 1.0
    for _ in range(60):
        measurements.observe("m", 10, first_token_ms=None, token_ms=None, failed=True)
    assert measurements.expected("m", 10).error_rate > 0.99


@given(st.lists(TIMES, min_size=ENOUGH, max_size=3 * WINDOW))
def test_the_percentile_is_that_of_the_last_window(times: list[float]) -> None:
    last = sorted(times[-WINDOW:])
    p95 = measured(*times).first_token_p95("m", 10)
    assert p95 == last[math.ceil(0.95 * len(last)) - 1]


def test_a_few_observations_have_no_percentile() -> None:
    assert measured(*[1.0] * (ENOUGH - 1)).first_token_p95("m", 10) is None


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=200))
def test_rewards_stay_between_the_scores_and_their_weight_is_bounded(scores: list[float]) -> None:
    measurements = Measurements()
    for score in scores:
        measurements.reward("m", 10, score)
    found = measurements.expected("m", 10)
    assert min(scores) - 1e-9 <= found.reward <= max(scores) + 1e-9
    assert 1.0 <= found.rewards <= min(len(scores), 50.0)
    assert found.samples == 0


def test_later_rewards_weigh_more() -> None:
    measurements = Measurements()
    for score in [0.0] * 100 + [1.0] * 100:
        measurements.reward("m", 10, score)
    assert measurements.expected("m", 10).reward > 0.8


def test_rows_bring_everything_back() -> None:
    measurements = measured(*[100.0] * 30)
    measurements.observe("a", 5000, first_token_ms=None, token_ms=None, failed=True)
    measurements.reward("a", 5000, 0.5)
    rows = measurements.rows()
    assert [(row.model, row.length_class) for row in rows] == [("a", 2), ("m", 0)]
    restored = Measurements()
    restored.restore(rows)
    assert restored.rows() == rows
    assert restored.expected("m", 10) == measurements.expected("m", 10)
    assert restored.first_token_p95("m", 10) == 100.0


def test_what_was_remembered_gives_way_to_what_is_seen() -> None:
    measurements = Measurements()
    row = MeasurementRow("m", 0, samples=99, first_token_ms=100.0, first_token_p95_ms=500.0)
    measurements.restore([row])
    for _ in range(ENOUGH):
        assert measurements.first_token_p95("m", 10) == 500.0
        measurements.observe("m", 10, first_token_ms=10.0, token_ms=None, failed=False)
    assert measurements.first_token_p95("m", 10) == 10.0
    assert 10.0 < (measurements.expected("m", 10).first_token_ms or 0.0) < 30.0


def test_every_change_is_a_new_revision() -> None:
    measurements = Measurements()
    seen = {measurements.revision}
    measurements.observe("m", 1, first_token_ms=None, token_ms=None, failed=False)
    seen.add(measurements.revision)
    measurements.reward("m", 1, 1.0)
    seen.add(measurements.revision)
    measurements.restore([])
    seen.add(measurements.revision)
    measurements.forget("m")
    seen.add(measurements.revision)
    measurements.expected("m", 1)
    assert len(seen) == 5
    assert measurements.revision == max(seen)


def test_a_forgotten_model_is_unknown() -> None:
    measurements = measured(1.0)
    measurements.observe("n", 10, first_token_ms=1.0, token_ms=None, failed=False)
    measurements.forget("m")
    assert [row.model for row in measurements.rows()] == ["n"]
