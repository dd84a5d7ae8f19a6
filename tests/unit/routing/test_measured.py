from __future__ import annotations

import numpy as np

from llm_runner_router.routing.measured import MeasuredRoster
from llm_runner_router.routing.measurements import CHANGES, Measurements
from llm_runner_router.routing.roster import Roster
from unit.routing.market import Surroundings, remote


def observe(measurements: Measurements, model: str, tokens: int = 1, ms: float = 50.0) -> None:
    measurements.observe(model, tokens, first_token_ms=ms, token_ms=None, failed=False)


def test_columns_follow_what_changes_and_each_class_has_its_own() -> None:
    measurements = Measurements()
    roster = Roster.of([remote("a"), remote("b")], Surroundings(), {})
    measured = MeasuredRoster(roster, measurements)
    assert np.isnan(measured.current(1).pace).all()
    observe(measurements, "b")
    observe(measurements, "elsewhere")
    assert measured.current(1).samples.tolist() == [0.0, 1.0]
    # An answer in one piece has no time between tokens: it is not unmeasured for that.
    assert measured.current(1).pace[1].tolist() == [50.0, 0.0]
    assert measured.current(5000).samples.tolist() == [0.0, 0.0]
    for _ in range(CHANGES + 1):
        observe(measurements, "a")
    assert measured.current(1).samples.tolist() == [CHANGES + 1, 1.0]


def test_changes_are_known_as_long_as_they_are_few() -> None:
    measurements = Measurements()
    observe(measurements, "a")
    before = measurements.revision
    assert measurements.changed_since(before) == set()
    observe(measurements, "b")
    measurements.reward("c", 1, 1.0)
    measurements.forget("d")
    assert measurements.changed_since(before) == {"b", "c", "d"}
    measurements.restore([])
    observe(measurements, "e")
    assert measurements.changed_since(before) is None
    assert measurements.changed_since(measurements.revision - 1) == {"e"}
