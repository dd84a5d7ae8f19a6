from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from llm_runner_router.cli import app
from llm_runner_router.cli.migrate_folder import is_attended
from llm_runner_router.migrate.plan import Plan
from llm_runner_router.migrate.recovery import Recovery, recover
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.step import Observe, Step
from llm_runner_router.migrate.transaction import migrate
from llm_runner_router.server.pid_file import PidFile

OLD = '{\n  "maxConcurrentRequests": 4,\n  "cacheTTL": 0\n}\n'
NEW = '{\n  "performance": {\n    "maxConcurrent": 4\n  },\n  "cache": {\n    "ttl": 0\n  }\n}\n'
ENVIRONMENT = "LLM_LOG_LEVEL=warn\nTOKEN=hush\n"


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["migrate", *arguments], input=answer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(OLD)
    (tmp_path / ".env").write_text(ENVIRONMENT)
    return tmp_path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody is there to ask."""
    monkeypatch.setattr("llm_runner_router.cli.migrate_folder.is_attended", lambda: True)


def texts(folder: Path) -> tuple[str, str]:
    return (folder / "config.json").read_text(), (folder / ".env").read_text()


def test_a_folder_is_migrated_and_then_there_is_nothing_to_do(folder: Path) -> None:
    result = run(str(folder), "--yes")
    assert result.exit_code == 0, result.output
    assert texts(folder) == (NEW, "LOG_LEVEL=warn\nTOKEN=hush\n")
    assert "mapped    cacheTTL → cache.ttl" in result.stdout
    assert '-  "cacheTTL": 0' in result.stdout
    assert "hush" not in result.output
    (backup,) = (folder / "migration-backup").glob("[0-9]*")
    assert f"the backup is {backup.name}" in result.stdout
    assert f"llm-router rollback {backup.name}" in result.stderr

    again = run(str(folder), "--yes")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "nothing to do")
    assert list((folder / "migration-backup").glob("[0-9]*")) == [backup]


def test_the_current_folder_is_meant_where_none_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert "1.0 to 1.2" in run("--dry-run").stdout
    assert "0.x to 1.2" in run("--dry-run", "--from", "0.9").stdout
    assert run("config", "--dry-run").stdout.count("change ") == 1


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    result = run(str(folder), "--dry-run")
    assert result.exit_code == 0
    assert "change config.json: 2 mapped" in result.stdout
    assert "\n--- config.json\n+++ config.json\n" in result.stdout
    assert texts(folder) == (OLD, ENVIRONMENT)
    assert sorted(path.name for path in folder.iterdir()) == [".env", "config.json"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_without_anybody_to_ask_it_is_refused(folder: Path, options: Sequence[str]) -> None:
    result = run(str(folder), *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "--yes" in result.stderr
    assert "--dry-run" in result.stderr
    assert texts(folder) == (OLD, ENVIRONMENT)


@pytest.mark.usefixtures("terminal")
def test_it_asks(folder: Path) -> None:
    refused = run(str(folder), answer="n\n")
    assert (refused.exit_code, texts(folder)) == (1, (OLD, ENVIRONMENT))
    assert "migrate? [y/N]" in refused.stderr
    assert "change config.json" in refused.stdout
    assert run(str(folder), answer="y\n").exit_code == 0
    assert texts(folder)[0] == NEW


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("config", (NEW, ENVIRONMENT)),
        ("env", (OLD, "LOG_LEVEL=warn\nTOKEN=hush\n")),
        ("registry", (OLD, ENVIRONMENT)),
        ("models", (OLD, ENVIRONMENT)),
        ("prompts", (OLD, ENVIRONMENT)),
    ],
)
def test_one_part_alone(folder: Path, part: str, wanted: tuple[str, str]) -> None:
    result = run(part, str(folder), "--yes")
    assert (result.exit_code, texts(folder)) == (0, wanted), result.output
    again = run(part, str(folder), "--yes")
    assert (again.exit_code, again.stdout.splitlines()[-1]) == (0, "nothing to do")


def test_for_programs(folder: Path) -> None:
    plan = json.loads(run(str(folder), "--json", "--dry-run").stdout)
    assert (plan["applied"], plan["backup"], plan["nothingToDo"]) == (False, None, False)
    assert [change["path"] for change in plan["changes"]] == ["config.json", ".env"]
    assert texts(folder) == (OLD, ENVIRONMENT)
    done = json.loads(run(str(folder), "--json", "--yes").stdout)
    assert done["applied"] is True
    assert (folder / "migration-backup" / done["backup"]).is_dir()
    assert done["changes"] == plan["changes"]
    again = json.loads(run(str(folder), "--json", "--yes").stdout)
    assert (again["applied"], again["nothingToDo"], again["changes"]) == (False, True, [])


def test_values_that_are_refused_leave_the_folder_as_it_was(folder: Path) -> None:
    (folder / "config.json").write_text('{"maxConcurrentRequests": 500}')
    result = run(str(folder), "--yes")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "error: config.json: maxConcurrentRequests: 500 is not allowed; "
        "allowed: a whole number from 1 to 100\n"
    )
    assert (folder / ".env").read_text() == ENVIRONMENT


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--from", "3.0"), "0.x, 1.0, 1.1 or 1.2"),
        (("--to", "1.1"), "1.2, 1.2.x or latest"),
        (("--to", "1.1", "--from", "1.0"), "1.2, 1.2.x or latest"),
    ],
)
def test_versions_that_there_are_not(folder: Path, options: Sequence[str], told: str) -> None:
    result = run(str(folder), "--yes", *options)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert texts(folder) == (OLD, ENVIRONMENT)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert run(str(tmp_path / "missing"), "--yes").exit_code == 2


def test_what_was_interrupted_is_brought_to_its_end_first(folder: Path) -> None:
    (folder / WORK).mkdir()
    told = run(str(folder), "--dry-run")
    assert "interrupted" in told.stderr
    assert (folder / WORK).is_dir()
    result = run(str(folder), "--yes")
    assert "interrupted" in result.stderr
    assert (result.exit_code, texts(folder)[0]) == (0, NEW)
    assert not (folder / WORK).exists()


def test_a_service_that_runs_on_the_folder_is_told_of(folder: Path) -> None:
    before = texts(folder)
    service = PidFile.create(folder, "127.0.0.1:50051", 1.0)
    told = f"note: the service at 127.0.0.1:50051 (process {os.getpid()}) runs on this folder"
    result = run(str(folder), "--yes", "--json")
    assert json.loads(result.stdout)["applied"] is True
    assert told in result.stderr
    service.close()
    assert texts(folder) != before
    assert told not in run(str(folder), "--yes").stderr


@pytest.mark.parametrize(
    ("step", "told", "done"),
    [
        (Step.TRY_ROUTER, "nothing is left half done", False),
        (Step.PLACE_FILE, "or `serve` there ends it", True),
    ],
)
def test_who_interrupts_it_is_told_what_has_become_of_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: Step, told: str, done: bool
) -> None:
    before = texts(folder)

    def interrupt(plan: Plan, observe: Observe) -> object:
        def stop(now: Step) -> None:
            observe(now)
            if now is step:
                raise KeyboardInterrupt

        return migrate(plan, stop)

    with monkeypatch.context() as patch:
        patch.setattr("llm_runner_router.migrate.transaction.migrate", interrupt)
        result = run(str(folder), "--yes")
    assert result.exit_code == 130
    assert told in result.stderr
    assert recover(folder) is (Recovery.FINISHED if done else Recovery.NOTHING)
    assert (texts(folder) != before) is done


def test_a_folder_called_as_a_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "env").mkdir()
    (folder / "env/config.json").write_text(OLD)
    assert run("./env", "--yes").exit_code == 0
    assert (folder / "env/config.json").read_text() == NEW
    assert texts(folder) == (OLD, ENVIRONMENT)


def test_names_that_are_no_text_are_shown(folder: Path) -> None:
    name = os.fsencode(folder) + b"/caf\xe9.js"
    Path(os.fsdecode(name)).write_text("require('llm-runner-router')")
    result = run(str(folder), "--dry-run")
    assert result.exit_code == 0
    assert "caf\ufffd.js:1: require('llm-runner-router') is import now" in result.stdout
    assert "caf\\udce9.js" in run(str(folder), "--dry-run", "--json").stdout


def test_help_tells_of_parts_and_options() -> None:
    group = " ".join(run("--help").output.split())
    assert all(part in group for part in ("config", "env", "registry", "models", "prompts"))
    assert "--dry-run" in run("folder", "--help").output
    assert "--dry-run" in run(".", "--help").output


def test_who_is_there_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert not is_attended()
