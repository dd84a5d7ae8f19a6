from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import durable
from llm_runner_router.migrate.backup import newest
from llm_runner_router.migrate.plan import Plan, WriteFile
from llm_runner_router.migrate.recovery import Recovery, recover
from llm_runner_router.migrate.rollback import preview, rollback
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from llm_runner_router.server.pid_file import PidFile
from unit.migrate.folders import (
    DATABASE,
    MODEL,
    OLD_ENVIRONMENT,
    Snapshot,
    make_database,
    memory_folder,
    old_folder,
    plan_of,
    snapshot,
)
from unit.migrate.test_recovery import interrupted


@pytest.fixture
def folder() -> Iterator[Path]:
    with memory_folder() as place:
        yield old_folder(place / "folder")


@pytest.fixture
def old(folder: Path) -> Snapshot:
    """How the folder was; it is migrated now."""
    before = snapshot(folder)
    migrate(plan_of(folder), trial=make_database)
    return before


def test_contract_11_what_the_migration_added_goes_and_env_comes_back(
    folder: Path, old: Snapshot
) -> None:
    outcome = rollback(folder)
    assert snapshot(folder) == old
    assert (folder / ".env").read_bytes() == OLD_ENVIRONMENT
    assert {str(path) for path in outcome.removed} == {
        "models/configs/chat.json",
        "models/registry.sqlite",
    }
    assert {str(path) for path in outcome.restored} >= {".env", "config/config.json"}
    assert [str(path) for path in outcome.moved] == ["models/chat.gguf"]
    assert outcome.backup == newest(folder).name


def test_contract_11_nothing_is_deleted_before_it_is_replaced(folder: Path, old: Snapshot) -> None:
    """At every moment each file of both times is there."""
    new = snapshot(folder)
    kept = [path for path in old if path in new and old[path][1] is not None]

    def look(step: Step) -> None:
        assert step
        for path in kept:
            found = (folder / path).lstat().st_mode & 0o7777
            assert found in {old[path][0], new[path][0]}
        places = [folder / "models/chat.gguf", folder / "models/cache/chat.gguf"]
        assert [path.read_bytes() for path in places if path.exists()] == [MODEL]

    rollback(folder, observe=look)


def test_what_has_changed_since_is_kept(folder: Path, old: Snapshot) -> None:
    (folder / ".env").write_bytes(b"MINE=1")
    (folder / "models/configs/chat.json").write_bytes(b'{"mine": 1}')
    (folder / DATABASE).write_bytes(b"used")
    (folder / f"{DATABASE}-wal").write_bytes(b"ahead")
    (folder / f"{DATABASE}-shm").write_bytes(b"shared")
    outcome = rollback(folder)
    assert snapshot(folder) == old
    assert outcome.replaced is not None
    kept = snapshot(folder / outcome.replaced)
    assert {path: it[1] for path, it in kept.items() if it[1] is not None} == {
        ".env": b"MINE=1",
        "models/configs/chat.json": b'{"mine": 1}',
        "models/registry.sqlite": b"used",
        "models/registry.sqlite-wal": b"ahead",
        "models/registry.sqlite-shm": b"shared",
    }
    assert kept[".env"][0] == 0o640


def test_what_users_put_into_added_folders_stays(folder: Path, old: Snapshot) -> None:
    (folder / "models/cache/new.gguf").write_bytes(b"mine")
    rollback(folder)
    left = {path: it for path, it in snapshot(folder).items() if path not in old}
    assert left == {"models/cache": (0o775, None), "models/cache/new.gguf": (0o644, b"mine")}


def test_a_second_rollback_does_nothing(folder: Path, old: Snapshot) -> None:
    rollback(folder)
    held = snapshot(folder, backups=True)
    stopped: list[Path] = []
    outcome = rollback(folder, stop=stopped.append)
    assert (outcome.restored, outcome.removed, outcome.moved) == ([], [], [])
    assert stopped == []
    assert snapshot(folder, backups=True) == held
    assert snapshot(folder) == old


def test_an_older_backup_by_its_name(folder: Path, old: Snapshot) -> None:
    first = newest(folder).name
    rollback(folder)
    (folder / ".env").write_bytes(OLD_ENVIRONMENT)
    migrate(plan_of(folder), trial=make_database)
    assert newest(folder).name != first
    assert rollback(folder, first).backup == first
    assert snapshot(folder) == old


def test_two_rollbacks_keep_what_each_has_replaced(folder: Path, old: Snapshot) -> None:
    name = newest(folder).name
    rollback(folder)
    (folder / DATABASE).write_bytes(b"made by hand")
    again = rollback(folder, name)
    assert again.replaced is not None
    assert (folder / again.replaced / DATABASE).read_bytes() == b"made by hand"
    assert len(list((newest(folder).path / "replaced").iterdir())) == 2
    assert snapshot(folder) == old


def test_a_damaged_backup_changes_nothing(folder: Path, old: Snapshot) -> None:
    (newest(folder).path / "files/.env").write_bytes(b"SECRET=other")
    before = snapshot(folder, backups=True)
    stopped: list[Path] = []
    for attempt in (preview, lambda it: rollback(it, stop=stopped.append)):
        with pytest.raises(MigrationError, match=r"files/\.env differs from its checksum"):
            attempt(folder)
    assert snapshot(folder, backups=True) == before != old
    assert stopped == []


def test_a_preview_changes_nothing(folder: Path, old: Snapshot) -> None:
    before = snapshot(folder, backups=True)
    assert not preview(folder).empty
    assert snapshot(folder, backups=True) == before != old


def test_a_service_is_stopped_after_the_checks_and_before_anything_changes(
    folder: Path, old: Snapshot
) -> None:
    new = snapshot(folder)
    calls: list[Path] = []

    def stop(place: Path) -> None:
        calls.append(place)
        assert snapshot(folder) == new
        (folder / ".env").write_bytes(b"LAST=words")

    outcome = rollback(folder, stop=stop)
    assert calls == [folder]
    assert snapshot(folder) == old
    assert outcome.replaced is not None
    assert (folder / outcome.replaced / ".env").read_bytes() == b"LAST=words"


def test_a_service_that_was_started_again_is_told(folder: Path, old: Snapshot) -> None:
    new = snapshot(folder)
    file: list[PidFile] = []

    def stop(place: Path) -> None:
        file.append(PidFile.create(place, "127.0.0.1:1", 0.0))

    with pytest.raises(MigrationError, match=f"started again, with the process id {os.getpid()}"):
        rollback(folder, stop=stop)
    file[0].close()
    assert snapshot(folder) == new != old


def test_an_interrupted_migration_is_finished_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    interrupted(folder, Step.PLACE_FILE, monkeypatch)
    assert rollback(folder).recovery is Recovery.FINISHED
    assert snapshot(folder) == before


def test_an_interrupted_migration_that_cannot_be_finished_is_taken_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder)
    interrupted(folder, Step.PLACE_FILE, monkeypatch)
    monkeypatch.setattr(
        "llm_runner_router.migrate.rollback.recover_locked",
        lambda *_: (_ for _ in ()).throw(MigrationError("cannot be finished")),
    )
    assert rollback(folder).recovery is Recovery.NOTHING
    assert snapshot(folder) == before


def test_a_full_disk_leaves_the_folder_as_it_was(
    folder: Path, old: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(folder, backups=True)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write", full)
        with pytest.raises(MigrationError, match=r"is full .*; the folder is as it was"):
            rollback(folder)
    assert snapshot(folder, backups=True) == before != old


def test_a_rollback_that_a_disk_stops_is_finished_later(
    folder: Path, old: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = durable.rename

    def refuse(source: Path, target: Path) -> None:
        if target.name == "config.json":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(source))
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "rename", refuse)
        for _ in range(2):
            with pytest.raises(MigrationError, match=r"not finished: mend that"):
                rollback(folder)
    rollback(folder)
    assert snapshot(folder) == old
    assert recover(folder) is Recovery.NOTHING


def test_without_a_backup_there_is_nothing_to_go_back_to(folder: Path) -> None:
    before = snapshot(folder)
    with pytest.raises(MigrationError, match="no backup of a migration"):
        rollback(folder)
    assert snapshot(folder, backups=True) == before


def test_a_later_migration_that_stays_is_told(folder: Path) -> None:
    """An older backup alone does not bring back what it knows nothing of."""
    before, whole = snapshot(folder), plan_of(folder)
    environment, others = whole.changes[-1:], whole.changes[:-1]
    first = migrate(replace(whole, changes=others), trial=make_database).backup
    last = migrate(Plan(folder, "1.0", environment), trial=make_database).backup
    note = f"a later migration stays (.env): `llm-router rollback {last}` first"
    assert preview(folder, first).notes == [note]
    assert list(preview(folder, last).notes) == []
    assert rollback(folder, first).notes == [note]
    assert snapshot(folder) != before
    assert list(rollback(folder, last).notes) == []
    assert snapshot(folder) == before


def test_a_later_migration_of_the_same_files_is_taken_back_along(
    folder: Path, old: Snapshot
) -> None:
    first = rollback(folder).backup
    migrate(plan_of(folder), trial=make_database)
    assert list(rollback(folder, first).notes) == []
    assert snapshot(folder) == old


def test_a_later_migration_that_was_taken_back_is_not_told(folder: Path) -> None:
    """Its backup holds what an earlier one had made, and going there would half migrate it."""
    states, names = [snapshot(folder)], []
    for path, content in (("models/other.bin", b"new"), (".env", b"A=1"), (".env", b"A=2")):
        change = WriteFile(PurePosixPath(path), (folder / path).read_bytes(), content)
        names.append(migrate(Plan(folder, "1.0", [change]), trial=make_database).backup)
        states.append(snapshot(folder))
    for name, state in zip(reversed(names), reversed(states[:-1]), strict=True):
        assert list(preview(folder, name).notes) == []
        assert list(rollback(folder, name).notes) == []
        assert snapshot(folder) == state
