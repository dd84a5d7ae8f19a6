from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import durable
from llm_runner_router.migrate.backup import backups
from llm_runner_router.migrate.plan import MoveFile, Plan
from llm_runner_router.migrate.recovery import Recovery
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.disk_log import recorded
from unit.migrate.folders import (
    MODEL,
    NEW_CONFIG,
    NEW_ENVIRONMENT,
    json_bytes,
    make_database,
    memory_folder,
    old_folder,
    plan_of,
    snapshot,
)

WORK = ".llm-router-migration"


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as place:
        yield old_folder(place / "folder")


def test_the_new_state_with_the_old_modes(folder: Path) -> None:
    before = snapshot(folder)
    outcome = migrate(plan_of(folder), trial=make_database)
    after = snapshot(folder)
    changed = {
        path: after.get(path) for path in {*before, *after} if after.get(path) != before.get(path)
    }
    assert changed == {
        "config/config.json": (0o600, json_bytes(NEW_CONFIG)),
        ".env": (0o640, NEW_ENVIRONMENT),
        "models/registry.json": (0o664, after["models/registry.json"][1]),
        "models/chat.gguf": None,
        "models/cache": (0o775, None),
        "models/cache/chat.gguf": (0o444, MODEL),
        "models/configs": (0o775, None),
        "models/configs/chat.json": (0o664, b"{}\n"),
        "models/registry.sqlite": (0o664, b"a database"),
        "package.json": (0o604, b'{"type": "module"}'),
    }
    assert outcome.recovery is Recovery.NOTHING
    assert [backup.name for backup in backups(folder)] == [outcome.backup]
    assert PurePosixPath("models/registry.sqlite") in outcome.changed


def test_a_plan_without_changes_does_nothing(folder: Path) -> None:
    before = snapshot(folder)
    outcome = migrate(Plan(folder, "1.2", ()), trial=make_database)
    assert (outcome.backup, outcome.changed) == ("", ())
    assert snapshot(folder, backups=True) == before


def test_contract_9_a_result_that_does_not_run_changes_nothing(folder: Path) -> None:
    """All or nothing: the trial comes first, and its failure leaves no byte behind."""
    before = snapshot(folder)

    def refuse(tree: Path, plan: Plan) -> None:
        assert (tree / "config/config.json").read_bytes() == json_bytes(NEW_CONFIG)
        assert {
            path: it for path, it in snapshot(plan.folder).items() if WORK not in path
        } == before
        raise MigrationError("the result was tried and refused")

    with pytest.raises(MigrationError, match="tried and refused"):
        migrate(plan_of(folder), trial=refuse)
    assert snapshot(folder, backups=True) == before


def test_contract_9_the_trial_is_a_router_on_the_result(folder: Path) -> None:
    before = snapshot(folder)
    plan = plan_of(folder)
    wrong = [
        replace(change, after=json_bytes({"performance": {"maxConcurrent": 1000}}))
        if change.path.name == "config.json" and not isinstance(change, MoveFile)
        else change
        for change in plan.changes
    ]
    with pytest.raises(MigrationError, match=r"performance\.maxConcurrent.*1000"):
        migrate(replace(plan, changes=wrong))
    assert snapshot(folder, backups=True) == before


def test_contract_10_the_backup_holds_everything_before_anything_changes(folder: Path) -> None:
    before = snapshot(folder)

    def look(tree: Path, plan: Plan) -> None:
        (backup,) = backups(folder)
        backup.verify()
        kept = {
            str(it.path): (it.mode, backup.content(it).read_bytes()) for it in backup.manifest.files
        }
        assert kept == {path: before[path] for path in kept}
        touched = {str(change.path) for change in plan.changes}
        manifest = backup.manifest
        told = {str(it.path) for it in (*manifest.files, *manifest.symlinks, *manifest.moves)}
        assert touched == told | {"models/configs/chat.json"}
        assert {str(it.path) for it in manifest.added} == {
            "models/configs/chat.json",
            "models/registry.sqlite",
        }
        make_database(tree, plan)

    migrate(plan_of(folder), trial=look)


def test_contract_10_a_second_migration_leaves_the_first_backup_alone(folder: Path) -> None:
    first = migrate(plan_of(folder), trial=make_database).backup
    held = snapshot(folder / "migration-backup" / first)
    rollback(folder)
    second = migrate(plan_of(folder), trial=make_database).backup
    assert second > first
    after = snapshot(folder / "migration-backup" / first)
    assert {path: it for path, it in after.items() if not path.startswith("replaced")} == held


@pytest.mark.parametrize("when", [Step.CHECK_PLAN, Step.CHECK_AGAIN])
def test_a_file_that_changes_between_plan_and_commit(folder: Path, when: Step) -> None:
    def edit(step: Step) -> None:
        if step is when:
            (folder / ".env").write_bytes(b"EDITED=1")

    before = snapshot(folder)
    with pytest.raises(MigrationError, match=r"\.env has changed since the plan"):
        migrate(plan_of(folder), edit, make_database)
    assert snapshot(folder, backups=True) == {**before, ".env": (0o640, b"EDITED=1")}


def test_everything_is_on_the_disk_in_its_order(folder: Path) -> None:
    """Backup, then what is staged, then the journal, then the renames, then no journal."""
    with recorded(folder) as log:
        outcome = migrate(plan_of(folder), trial=make_database)
    backup = f"migration-backup/{outcome.backup}"
    kept = log.position("rename", backup)
    decided = log.position("rename", f"{WORK}/journal.json")
    assert log[kept + 1] == ("sync", "migration-backup")
    assert kept < log.position("sync", f"{WORK}/tree/models/registry.sqlite") < decided
    assert log.position("sync", f"{WORK}/tree/models", kept) < decided
    assert log[decided - 1] == ("sync", f"{WORK}/journal.new")
    assert log[decided + 1] == ("sync", WORK)
    own = (".partial", "migration-backup", WORK)
    placed = [(place, path) for place, path in log.renames() if not path.startswith(own)]
    assert len(placed) == 7
    for place, path in placed:
        assert decided < place
        assert log[place + 1] == ("sync", str(Path(path).parent))
    forgotten = max(place for place, it in enumerate(log) if it == ("sync", WORK))
    assert forgotten > placed[-1][0]
    assert log[-1] == ("sync", ".")


class BrokenDisk:
    """Renames fail from the n-th on; the way back works."""

    def __init__(self, number: int, journals: int = 1) -> None:
        self._left = number
        self._journals = journals
        self._rename = durable.rename

    def __call__(self, source: Path, target: Path) -> None:
        if target.name == "journal.json":
            self._journals -= 1
        elif self._journals == 0:
            if self._left == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(source))
            self._left -= 1
        self._rename(source, target)


@pytest.mark.parametrize("number", range(8))
def test_a_disk_that_refuses_in_the_middle_gives_back_the_old_state(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = snapshot(folder)
    monkeypatch.setattr(durable, "rename", BrokenDisk(number))
    with pytest.raises(MigrationError, match=r"Input/output error.*; the folder is as it was"):
        migrate(plan_of(folder), trial=make_database)
    assert snapshot(folder) == before


def test_a_disk_that_refuses_the_way_back_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    with monkeypatch.context() as patch:
        disk = BrokenDisk(3)
        patch.setattr(durable, "rename", disk)
        patch.setattr(
            "llm_runner_router.migrate.transaction.restore",
            lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")),
        )
        with pytest.raises(MigrationError, match="half migrated; mend that, then roll back to"):
            migrate(plan_of(folder), trial=make_database)
    rollback(folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "step", [Step.BACK_UP_FILE, Step.KEEP_BACKUP, Step.STAGE_FILE, Step.KEEP_JOURNAL]
)
def test_an_interruption_before_the_decision_leaves_nothing(folder: Path, step: Step) -> None:
    before = snapshot(folder)

    def interrupt(now: Step) -> None:
        if now is step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(plan_of(folder), interrupt, make_database)
    assert snapshot(folder, backups=True) == before


def test_a_link_to_a_model_moves_and_comes_back(folder: Path) -> None:
    (folder / "models/chat.gguf").rename(folder / "real.gguf")
    (folder / "models/chat.gguf").symlink_to("../real.gguf")
    before = snapshot(folder)
    migrate(plan_of(folder), trial=make_database)
    assert (folder / "models/cache/chat.gguf").readlink() == Path("../../real.gguf")
    assert (folder / "models/cache/chat.gguf").read_bytes() == MODEL
    assert not (folder / "models/chat.gguf").is_symlink()
    rollback(folder)
    assert snapshot(folder) == before
