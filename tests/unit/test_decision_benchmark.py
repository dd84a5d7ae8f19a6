"""That the benchmark of decisions runs and says what it should. No test here asserts a time."""

from __future__ import annotations

import json

import pytest
from benchmarks import decision

from llm_runner_router.preferences import Strategy


def test_it_tells_the_medians_by_strategy_and_number(capsys: pytest.CaptureFixture[str]) -> None:
    decision.main(["--strategy", "all", "--decisions", "2"])
    told = json.loads(capsys.readouterr().out)
    assert set(told["decisions"]) == set(Strategy)
    for medians in told["decisions"].values():
        assert list(medians) == ["10", "100", "1000"]
        assert all(time > 0 for time in medians.values())
    assert told["targets"] == {"10": 20.0, "100": 60.0, "1000": 500.0}


def test_it_needs_something_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        decision.main(["--decisions", "0"])
    assert "decisions are at least 1" in capsys.readouterr().err
