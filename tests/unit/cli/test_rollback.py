"""``llm-router rollback``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llm_runner_router.cli import app
from llm_runner_router.migrate.backup import newest
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from llm_runner_router.server.pid_file import PidFile
from unit.cli.services import run
from unit.migrate.folders import Snapshot, make_database, old_folder, plan_of, snapshot
from unit.migrate.test_recovery import interrupted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return old_folder(tmp_path)


@pytest.fixture
def old(folder: Path) -> Snapshot:
    """How the folder was; it is migrated now."""
    before = snapshot(folder)
    migrate(plan_of(folder), trial=make_database)
    return before


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who can be asked."""
    monkeypatch.setattr("llm_runner_router.cli.rollback.is_asked", lambda: True)


def test_it_is_told_what_will_be_done_and_done(folder: Path, old: Snapshot) -> None:
    name = newest(folder).name
    result = run("rollback", "--folder", str(folder), "--yes")
    assert result.exit_code == 0, result.output
    assert snapshot(folder) == old
    for line in (
        f"back to {name} (version 1.0):",
        "restore .env",
        "move models/cache/chat.gguf back to models/chat.gguf",
        "remove models/configs/chat.json, which the migration added",
        "move models/registry.sqlite into the backup",
        "remove the folder models/cache if it is empty",
    ):
        assert f"{line}\n" in result.stderr
    assert result.stdout.startswith(f"rolled back to {name}\nwhat had changed since lies in ")


def test_for_programs(folder: Path, old: Snapshot) -> None:
    result = run("rollback", "--folder", str(folder), "--yes", "--json")
    told = json.loads(result.stdout)
    assert told["backup"] == newest(folder).name
    assert ".env" in told["restored"]
    assert told["moved"] == ["models/chat.gguf"]
    assert (folder / told["replaced"] / "models/registry.sqlite").is_file()
    assert (told["recovery"], told["notes"]) == ("nothing", [])
    again = run("rollback", "--folder", str(folder), "--json")
    assert json.loads(again.stdout)["restored"] == []
    assert snapshot(folder) == old


def test_without_a_terminal_it_wants_to_be_told(folder: Path, old: Snapshot) -> None:
    before = snapshot(folder, backups=True)
    result = run("rollback", "--folder", str(folder))
    assert result.exit_code == 1
    assert "error: nobody can be asked here: --yes" in result.stderr
    assert snapshot(folder, backups=True) == before != old


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_somebody_is_asked(folder: Path, old: Snapshot, answer: str, code: int) -> None:
    new = snapshot(folder)
    result = CliRunner().invoke(app, ["rollback", "--folder", str(folder)], input=answer)
    assert result.exit_code == code
    assert snapshot(folder) == (old if code == 0 else new)


def test_a_folder_that_is_back_asks_nobody(folder: Path, old: Snapshot) -> None:
    assert run("rollback", "--folder", str(folder), "-y").exit_code == 0
    result = run("rollback", "--folder", str(folder))
    assert (result.exit_code, result.stdout) == (0, "nothing to do\n")
    assert snapshot(folder) == old


def test_an_older_backup_by_its_name(folder: Path, old: Snapshot) -> None:
    first = newest(folder).name
    run("rollback", "--folder", str(folder), "-y")
    migrate(plan_of(folder), trial=make_database)
    result = run("rollback", first, "--folder", str(folder), "-y")
    assert f"rolled back to {first}" in result.stdout
    assert snapshot(folder) == old
    unknown = run("rollback", "nope", "--folder", str(folder), "-y")
    assert unknown.exit_code == 1
    assert "error: there is no backup 'nope'" in unknown.stderr


@pytest.fixture
def service(folder: Path, old: Snapshot) -> Iterator[str]:
    """The address of a service on the folder: this process."""
    assert old
    file = PidFile.create(folder, "10.0.0.1:777", 1.0)
    yield "10.0.0.1:777"
    file.close()


def test_services_and_whoever_starts_them_are_told_of(folder: Path, service: str) -> None:
    (folder / "ecosystem.config.js").touch()
    result = run("rollback", "--folder", str(folder))
    assert f"stop the service at {service} (process " in result.stderr
    assert "note: ecosystem.config.js is here: `pm2 stop`" in result.stderr
    assert result.exit_code == 1


def test_an_interrupted_migration_is_finished_and_taken_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    interrupted(folder, Step.PLACE_FILE, monkeypatch)
    result = run("rollback", "--folder", str(folder), "--yes")
    assert result.exit_code == 0, result.output
    assert "note: an interrupted migration was finished" in result.stderr
    assert snapshot(folder) == before


def test_who_interrupts_it_is_told_what_has_become_of_it(
    folder: Path, old: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("llm_runner_router.migrate.actions.place", interrupt)
        result = run("rollback", "--folder", str(folder), "--yes")
    assert result.exit_code == 130
    assert "interrupted: the next `llm-router migrate`, `rollback`" in result.stderr
    assert run("rollback", "--folder", str(folder), "--yes").exit_code == 0
    assert snapshot(folder) == old
