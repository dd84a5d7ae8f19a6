from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import durable
from llm_runner_router.migrate.backup import backups
from llm_runner_router.migrate.folder_lock import folder_lock
from llm_runner_router.migrate.recovery import Recovery, recover
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.step import Step, unobserved
from llm_runner_router.migrate.transaction import migrate
from llm_runner_router.migrate.trial import Trial
from unit.migrate.folders import make_database, old_folder, plan_of, snapshot


class Stop:
    """Ends a migration as a kill does: nothing is cleared away."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __call__(self, step: Step) -> None:
        if step is self._step:
            raise Killed


class Killed(BaseException):
    """Nobody catches it."""


def interrupted(
    folder: Path, step: Step, monkeypatch: pytest.MonkeyPatch, trial: Trial = make_database
) -> None:
    """A folder whose migration ended there, without a word."""
    with monkeypatch.context() as patch:
        patch.setattr("llm_runner_router.migrate.transaction.give_up", lambda *_: None)
        with pytest.raises(Killed):
            migrate(plan_of(folder), Stop(step), trial)


def test_nothing_to_do_needs_no_right_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_folder(tmp_path)
    before = snapshot(folder)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("something was opened"))
    assert recover(folder) is Recovery.NOTHING
    monkeypatch.undo()
    assert snapshot(folder) == before


def test_what_was_prepared_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = old_folder(tmp_path)
    before = snapshot(folder)
    interrupted(folder, Step.KEEP_BACKUP, monkeypatch)
    assert recover(folder) is Recovery.CLEARED
    assert snapshot(folder, backups=True) == before


def test_a_whole_backup_stays_and_is_not_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_folder(tmp_path)
    before = snapshot(folder)
    interrupted(folder, Step.TRY_ROUTER, monkeypatch)
    assert recover(folder) is Recovery.CLEARED
    assert snapshot(folder) == before
    assert [backup.carried_out for backup in backups(folder)] == [False]
    with pytest.raises(MigrationError, match="no backup of a migration"):
        rollback(folder)


def test_what_was_decided_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = old_folder(tmp_path / "done")
    migrate(plan_of(done), trial=make_database)
    folder = old_folder(tmp_path / "half")
    interrupted(folder, Step.PLACE_FILE, monkeypatch)
    assert recover(folder) is Recovery.FINISHED
    assert snapshot(folder) == snapshot(done)
    assert recover(folder) is Recovery.NOTHING


def test_a_rollback_is_finished(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    before = snapshot(folder)
    migrate(plan_of(folder), trial=make_database)
    with pytest.raises(Killed):
        rollback(folder, observe=Stop(Step.PLACE_FILE))
    assert recover(folder) is Recovery.FINISHED_ROLLBACK
    assert snapshot(folder) == before


def test_a_migration_that_is_going_on_is_no_interrupted_one(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    seen: list[str] = []

    def look(step: Step) -> None:
        if step is Step.TRY_ROUTER:
            with pytest.raises(MigrationError, match="at work") as caught:
                recover(folder)
            seen.append(caught.value.message)

    migrate(plan_of(folder), look, make_database)
    assert len(seen) == 1


def test_what_cannot_be_finished_is_told_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = old_folder(tmp_path)
    interrupted(folder, Step.PLACE_FILE, monkeypatch)

    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(source), None, str(target))

    with monkeypatch.context() as patch:
        patch.setattr(durable, "rename", refuse)
        with pytest.raises(MigrationError, match=r"cannot be finished: .*Read-only"):
            recover(folder)
    with folder_lock(folder):
        pass
    assert recover(folder, unobserved) is Recovery.FINISHED


def test_a_damaged_journal_stops_everything(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    (folder / ".llm-router-migration").mkdir()
    (folder / ".llm-router-migration/journal.json").write_bytes(b"{")
    before = snapshot(folder)
    for do in (recover, lambda it: migrate(plan_of(it), trial=make_database), rollback):
        with pytest.raises(MigrationError, match=r"journal\.json.*damaged"):
            do(folder)
    assert snapshot(folder) == before
