"""``validate-config``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.cli.services import run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def test_a_valid_file(file: Path) -> None:
    file.write_text('{"performance": {"maxConcurrent": 4}}')
    result = run("validate-config", str(file))
    assert (result.exit_code, result.output) == (0, f"{file} is valid\n")


def test_each_problem_has_a_line_with_its_place(file: Path) -> None:
    file.write_text('{\n  "performance": {"maxConcurrent": 0, "timout": 5}\n}')
    result = run("validate-config", str(file))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        (
            f"{file}:2:36: performance.maxConcurrent: 0 is not allowed; "
            "allowed: a whole number from 1 to 100"
        ),
        f"{file}:2:39: performance.timout: is no setting; did you mean performance.timeout?",
    ]
    assert result.stdout == ""


def test_the_report_for_programs(file: Path) -> None:
    file.write_text('{"cache": {"ttl": 1e999, "url": "redis://u:secret@h", "x": "secret"}}')
    result = run("validate-config", str(file), "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["file"], report["valid"]) == (str(file), False)
    assert report["problems"] == [
        {
            "line": 1,
            "column": 19,
            "key": "cache.ttl",
            "message": "inf is not allowed; allowed: seconds, a whole number ≥ 0",
            "value": "inf",
            "allowed": "seconds, a whole number ≥ 0",
            "suggestion": "",
        },
        {
            "line": 1,
            "column": 55,
            "key": "cache.x",
            "message": "is no setting; allowed: one of enabled, ttl, maxBytes, url",
            "value": None,
            "allowed": "one of enabled, ttl, maxBytes, url",
            "suggestion": "",
        },
    ]
    file.write_text("{}")
    valid = run("validate-config", str(file), "--json")
    assert valid.exit_code == 0
    assert json.loads(valid.stdout) == {"file": str(file), "valid": True, "problems": []}


def test_hostile_keys_forge_no_lines_and_obey_no_escapes(file: Path) -> None:
    file.write_text('{"a\\nb": 1, "\\u001b[31mred": 1, "\\ud800": 2, "[bold]x": 3}')
    result = run("validate-config", str(file))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 4
    assert "a\\nb: is no setting" in result.stderr
    assert "\\x1b[31mred" in result.stderr
    assert "\\ud800" in result.stderr
    assert "[bold]x" in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_what_cannot_be_read_is_wrong_usage(tmp_path: Path, name: str) -> None:
    result = run("validate-config", str(tmp_path / name))
    assert result.exit_code == 2
    assert "a file that can be read" in result.stderr


def test_the_environment_plays_no_part(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "nonsense")
    file.write_text("{}")
    assert run("validate-config", str(file)).exit_code == 0
