"""A migration, its way back and a recovery under kill -9, at every step of each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration import migration_until_killed
from integration.processes import ROOT, TESTS
from llm_runner_router.migrate.backup import PARTIAL, backups
from llm_runner_router.migrate.recovery import recover
from llm_runner_router.migrate.relative_path import BACKUPS, WORK
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.folders import (
    DATABASE,
    Snapshot,
    make_database,
    memory_folder,
    old_folder,
    plan_of,
    snapshot,
)

NEVER = 10**6
COMMIT = (
    *(Step.KEEP_JOURNAL, Step.MAKE_FOLDER, Step.MOVE_FILE, Step.PLACE_FILE),
    *(Step.FORGET_JOURNAL, Step.CLEAR),
)
MIGRATION = (
    *(Step.CHECK_PLAN, Step.BEGIN, Step.BACK_UP_FILE, Step.WRITE_MANIFEST, Step.KEEP_BACKUP),
    *(Step.STAGE_FILE, Step.STAGE_LINKS, Step.TRY_ROUTER, Step.CHECK_AGAIN, Step.WRITE_JOURNAL),
    *COMMIT,
)
ROLLBACK = (
    *(Step.CHECK_BACKUP, Step.STOP_SERVICE, Step.BEGIN, Step.KEEP_CHANGED, Step.STAGE_FILE),
    *(Step.WRITE_JOURNAL, *COMMIT, Step.REMOVE_FOLDER),
)
USED = b"a registry that was used"
EDITED = b"LOG_LEVEL=debug\nSECRET=hush\nMINE=1\n"


def state_of(folder: Path) -> Snapshot:
    """As ``snapshot``, without what is being worked on; registries differ in their times alone."""
    found = {path: it for path, it in snapshot(folder).items() if not path.startswith(WORK)}
    for path, (mode, content) in found.items():
        if isinstance(content, bytes) and content.startswith(b"SQLite format 3\0"):
            found[path] = (mode, b"a registry")
    return found


def run(jobs: Sequence[tuple[str, Path, int]]) -> Sequence[int]:
    """The exit codes of jobs, each in a process of its own."""
    told = [{"what": what, "folder": str(folder), "at": at} for what, folder, at in jobs]
    path = os.pathsep.join((str(TESTS), str(ROOT / "python")))
    done = subprocess.run(
        [sys.executable, migration_until_killed.__file__],
        input=json.dumps(told).encode(),
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    codes: list[int] = json.loads(done.stdout)
    return codes


@dataclass(frozen=True)
class Killed:
    """Copies of one folder, each with a process that was killed in it at one of its steps."""

    steps: Sequence[Step]
    folders: Sequence[Path]

    def at(self, step: Step) -> Sequence[tuple[int, Path]]:
        """Those that were killed at a step, which are some, with their places in the order."""
        found = [
            (number, self.folders[number]) for number, it in enumerate(self.steps) if it is step
        ]
        assert found
        return found


@dataclass(frozen=True)
class Cases:
    """All of them, and the states that are allowed."""

    old: Snapshot
    new: Snapshot
    used: Snapshot
    migrations: Killed
    rollbacks: Killed
    recoveries: Killed


def use(folder: Path) -> None:
    """What may happen after a migration: settings are edited, and a service has run."""
    (folder / ".env").write_bytes(EDITED)
    (folder / DATABASE).write_bytes(USED)
    wal = folder / f"{DATABASE}-wal"
    wal.write_bytes(b"written ahead")
    (folder / f"{DATABASE}.lock").touch()


def copies(folder: Path, place: Path, number: int) -> Sequence[Path]:
    """Copies with the same links, modes and times."""
    return [
        Path(shutil.copytree(folder, place / str(index), symlinks=True)) for index in range(number)
    ]


def steps_of(place: Path) -> tuple[list[Step], list[Step]]:
    """The steps of a migration and of the rollback of a folder that was used."""
    forth: list[Step] = []
    back: list[Step] = []
    folder = old_folder(place)
    migrate(plan_of(folder), forth.append, make_database)
    use(folder)
    rollback(folder, observe=back.append)
    return forth, back


@pytest.fixture(scope="module")
def cases() -> Iterator[Cases]:
    """A kill spares what was written, so that folders in memory, which are fast, do as well."""
    with memory_folder() as base:
        yield killed_below(base)


def killed_below(base: Path) -> Cases:
    """Kill all of them."""
    forth, back = steps_of(base / "told")
    first = old_folder(base / "first")
    old = state_of(first)
    migrations = Killed(forth, copies(first, base / "migrate", len(forth)))
    half = forth.index(Step.KEEP_JOURNAL) + 2
    recoveries = Killed(forth[half - 1 :], copies(first, base / "recover", len(forth) - half + 1))
    codes = run(
        [
            ("migrate", first, NEVER),
            *(("migrate", folder, at) for at, folder in enumerate(migrations.folders)),
            *(("migrate", folder, half) for folder in recoveries.folders),
        ]
    )
    assert codes[0] == 0
    assert {*codes[1:]} == {-signal.SIGKILL}
    new = state_of(first)
    use(first)
    used = state_of(first)
    rollbacks = Killed(back, copies(first, base / "rollback", len(back)))
    codes = run(
        [
            *(("rollback", folder, at) for at, folder in enumerate(rollbacks.folders)),
            *(("recover", folder, at) for at, folder in enumerate(recoveries.folders)),
        ]
    )
    assert {*codes} == {-signal.SIGKILL}
    return Cases(old, new, used, migrations, rollbacks, recoveries)


def assert_whole_files(found: Snapshot, before: Snapshot, after: Snapshot) -> None:
    """Each path is as before or as after, whatever the others are."""
    for path in {*found, *before, *after}:
        assert found.get(path) in (before.get(path), after.get(path)), path


def assert_clean(folder: Path) -> None:
    """Nothing that is half done is left."""
    assert not (folder / WORK).exists()
    assert not list((folder / BACKUPS).glob(f"*{PARTIAL}"))


def named(step: Step) -> str:
    return step.name


def test_no_step_is_left_out(cases: Cases) -> None:
    assert {*MIGRATION} == {*cases.migrations.steps}
    assert {*ROLLBACK} == {*cases.rollbacks.steps}
    assert {*MIGRATION, *ROLLBACK} == set(Step)


@pytest.mark.parametrize("step", MIGRATION, ids=named)
def test_a_migration_killed_at_a_step(cases: Cases, step: Step) -> None:
    decided = cases.migrations.steps.index(Step.KEEP_JOURNAL)
    kept = cases.migrations.steps.index(Step.KEEP_BACKUP)
    for number, folder in cases.migrations.at(step):
        assert_whole_files(state_of(folder), cases.old, cases.new)
        found = backups(folder)
        assert len(found) == (number > kept)  # there from the moment it has its name
        recover(folder)
        assert state_of(folder) == (cases.new if number > decided else cases.old)
        assert_clean(folder)
        for backup in found:
            rollback(folder, backup.name)
            assert state_of(folder) == cases.old
        recover(folder)
        assert state_of(folder) == cases.old


@pytest.mark.parametrize("step", ROLLBACK, ids=named)
def test_a_rollback_killed_at_a_step(cases: Cases, step: Step) -> None:
    decided = cases.rollbacks.steps.index(Step.KEEP_JOURNAL)
    for number, folder in cases.rollbacks.at(step):
        found = state_of(folder)
        assert_whole_files(found, cases.used, cases.old)
        recover(folder)
        assert state_of(folder) == (cases.old if number > decided else cases.used)
        assert_clean(folder)
        rollback(folder)
        assert state_of(folder) == cases.old
        assert kept_beside(folder) == {EDITED, USED, b"written ahead"}


def kept_beside(folder: Path) -> set[bytes]:
    """What rollbacks have put into the backup."""
    (backup,) = backups(folder)
    return {path.read_bytes() for path in (backup.path / "replaced").rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", COMMIT[1:], ids=named)
def test_a_recovery_killed_at_a_step(cases: Cases, step: Step) -> None:
    for _, folder in cases.recoveries.at(step):
        assert_whole_files(state_of(folder), cases.old, cases.new)
        recover(folder)
        assert state_of(folder) == cases.new
        assert_clean(folder)
        rollback(folder)
        assert state_of(folder) == cases.old
