from __future__ import annotations

import pytest
from click.testing import Result
from typer.testing import CliRunner

from llm_runner_router.cli import app
from llm_runner_router.registry.records import UsageQuery, UsageRow
from unit.cli.services import FakeService, run

HEADERS = (
    *("day", "caller", "model", "requests", "failed", "prompt", "cached", "answer"),
    *("reasoning", "cost", "USD", "saved", "USD"),
)


def cells(result: Result) -> list[list[str]]:
    """The words of the table's lines, but its rules."""
    rows = [line.split() for line in result.output.splitlines()]
    return [row for row in rows if row and not row[0].startswith("─")]


def test_rows_and_their_sums(service: FakeService) -> None:
    service.rows = [
        UsageRow("2026-11-23", "alice", "a", 10, 1, 1000, 200, 300, 40, 0.5, 0.25),
        UsageRow("2026-11-24", "[bob]", "b", 2, 0, 30, 4, 5, 0, 0.000001, 0.0),
    ]
    head, first, second, total = cells(run("usage"))
    assert head == list(HEADERS)
    assert first == [
        *("2026-11-23", "alice", "a", "10", "1", "1000", "200", "300", "40"),
        *("0.500000", "0.250000"),
    ]
    assert " ".join(second) == "2026-11-24 [bob] b 2 0 30 4 5 0 0.000001 0.000000"
    assert " ".join(total) == "all 12 1 1030 204 305 40 0.500001 0.250000"


def test_what_nobody_used_has_no_column(service: FakeService) -> None:
    service.rows = [
        UsageRow("2026-11-23", "alice", "a", 10, 0, 1000, 0, 300, 0, 0.0, 0.25),
        UsageRow("2026-11-24", "bob", "b", 2, 0, 0, 0, 0, 0, 0.0, 0.0),
    ]
    assert list(map(" ".join, cells(run("usage")))) == [
        "day caller model requests prompt answer saved USD",
        "2026-11-23 alice a 10 1000 300 0.250000",
        "2026-11-24 bob b 2 0 0 0.000000",
        "all 12 1000 300 0.250000",
    ]


@pytest.mark.usefixtures("service")
def test_nothing_was_used() -> None:
    assert cells(run("usage")) == [["day", "caller", "model", "requests"], ["all", "0"]]


def test_a_usual_table_fits_a_usual_terminal(service: FakeService) -> None:
    service.rows = [
        UsageRow("2026-11-24", "anonymous", "qwen3-coder", 9999, 12, 123456, 23456, 34567, 0, 1.5)
    ]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["usage"])
    assert max(map(len, result.output.splitlines())) <= 80


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
    assert cells(result)[-2] == [
        *("2026-11-24", "a" * 30, "b" * 30),
        *["123456789"] * 6,
        *["1234.567891"] * 2,
    ]
