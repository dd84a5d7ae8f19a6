from __future__ import annotations

from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.web.totals import Totals


def test_a_total_that_is_known() -> None:
    told: list[PullProgress] = []
    totals = Totals(told.append, files=2, total=300)
    totals.of_next("a")(PullProgress("downloading", "x", 50, 100, 10.0, 5.0))
    totals.add(100)
    totals.of_next("b")(PullProgress("downloading", "y", 50, 200, 10.0, 15.0))
    assert told == [
        PullProgress("downloading", "a", 50, 300, 10.0, 25.0),
        PullProgress("downloading", "b", 150, 300, 10.0, 15.0),
    ]


def test_a_total_that_the_last_file_tells() -> None:
    told: list[PullProgress] = []
    totals = Totals(told.append, files=2)
    totals.of_next("a")(PullProgress("downloading", "x", 50, 100, 10.0, 5.0))
    totals.add(100)
    totals.of_next("b")(PullProgress("verifying", "y", 50, 200))
    assert told == [
        PullProgress("downloading", "a", 50, 0, 10.0, None),
        PullProgress("verifying", "b", 150, 300, 0.0, None),
    ]
