from __future__ import annotations

import pytest
from typer.testing import CliRunner

from llm_runner_router.cli import app
from llm_runner_router.registry.records import UsageQuery, UsageRow
from unit.cli.services import FakeService, lines, run


def test_rows_and_their_sums(service: FakeService) -> None:
    service.rows = [
        UsageRow("2026-11-23", "alice", "a", 10, 1, 1000, 200, 300, 40, 0.5, 0.25),
        UsageRow("2026-11-24", "[bob]", "b", 2, 0, 30, 4, 5, 0, 0.000001, 0.0),
    ]
    head, first, second, total = lines(run("usage"))
    assert head == [
        *("day", "caller", "model", "requests", "failures", "prompt", "cached", "completion"),
        *("reasoning", "cost USD", "saved cost USD"),
    ]
    assert first == [
        *("2026-11-23", "alice", "a", "10", "1", "1000", "200", "300", "40"),
        *("0.500000", "0.250000"),
    ]
    assert second[:3] == ["2026-11-24", "[bob]", "b"]
    assert total == [
        *("all", "", "", "12", "1", "1030", "204", "305", "40", "0.500001", "0.250000"),
    ]


@pytest.mark.usefixtures("service")
def test_nothing_was_used() -> None:
    assert lines(run("usage"))[-1][3:] == [*"000000", "0.000000", "0.000000"]


def test_the_question_is_what_was_asked(service: FakeService) -> None:
    run("usage")
    run("usage", "--from", "2026-11-01", "--to", "2026-11-24", "--caller", "alice", "--model", "a")
    assert service.asked == [UsageQuery(), UsageQuery("2026-11-01", "2026-11-24", "alice", "a")]


def test_a_day_that_is_none_is_refused(service: FakeService) -> None:
    assert run("usage", "--from", "2026-11-31").exit_code == 2
    assert not service.asked


def test_no_number_is_cut_on_a_narrow_terminal(service: FakeService) -> None:
    service.rows = [
        UsageRow("2026-11-24", "a" * 30, "b" * 30, *[123456789] * 6, 1234.567891, 1234.567891)
    ]
    result = CliRunner(env={"COLUMNS": "40"}).invoke(app, ["usage"])
    assert lines(result)[-2] == [
        *("2026-11-24", "a" * 30, "b" * 30),
        *["123456789"] * 6,
        *["1234.567891"] * 2,
    ]
