"""The way back to how a folder was before a migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.backup import Backup, backups, drop_partial, newest, read_backup
from llm_runner_router.migrate.disk_errors import disk_error, disk_errors
from llm_runner_router.migrate.folder_lock import folder_lock
from llm_runner_router.migrate.journal import clear, decided
from llm_runner_router.migrate.recovery import Recovery, recover_locked
from llm_runner_router.migrate.restoration import Restoration, digest_at, restoration_of
from llm_runner_router.migrate.restoring import restore
from llm_runner_router.migrate.service_process import check_stopped, stop_services
from llm_runner_router.migrate.step import Observe, Step, unobserved

Stop = Callable[[Path], None]
"""Stops the services that run on a folder; MigrationError where one does not end."""


@dataclass(frozen=True, slots=True)
class RollbackOutcome:
    """What has been done; paths are relative to the folder.

    ``replaced`` is the folder of what had changed since the migration, ``None`` where nothing had.
    """

    backup: str
    recovery: Recovery
    restored: Sequence[PurePosixPath]
    removed: Sequence[PurePosixPath]
    moved: Sequence[PurePosixPath]
    replaced: PurePosixPath | None
    notes: Sequence[str]


def preview(folder: Path, name: str = "") -> Restoration:
    """What ``rollback`` would do now. Writes nothing; errors as of ``rollback``."""
    with disk_errors(folder):
        backup = chosen(folder, name)
        backup.verify()
        return wanted_of(backup)


def rollback(
    folder: Path, name: str = "", observe: Observe = unobserved, stop: Stop = stop_services
) -> RollbackOutcome:
    """Bring the folder back to a backup, by default that of the last migration.

    Nothing is lost: content that is neither old nor of the migration goes into the backup.
    MigrationError leaves the folder as it was, or with a journal that the next call finishes.
    """
    with folder_lock(folder):
        recovery = recovered(folder, observe)
        observe(Step.CHECK_BACKUP)
        with disk_errors(folder):
            backup = chosen(folder, name)
            backup.verify()
            wanted, replaced = wanted_of(backup), None
        if not wanted.empty or decided(folder) is not None:
            observe(Step.STOP_SERVICE)
            stop(folder)
            wanted, replaced = bring_back(backup, observe)
    return RollbackOutcome(
        backup.name,
        recovery,
        [kept.path for kept in wanted.restored],
        [*wanted.discarded, *wanted.set_aside],
        [move.path for move in wanted.moves],
        replaced,
        wanted.notes,
    )


def recovered(folder: Path, observe: Observe) -> Recovery:
    """What was interrupted, finished; or left to the rollback where that is impossible."""
    try:
        return recover_locked(folder, observe)
    except MigrationError:
        if decided(folder) is None:
            raise
        return Recovery.NOTHING


def chosen(folder: Path, name: str) -> Backup:
    """The backup of that name, or the newest."""
    return read_backup(folder, name) if name else newest(folder)


def wanted_of(backup: Backup) -> Restoration:
    """What has to be done, and a note of each later migration that stays. Errors as of both."""
    wanted = restoration_of(backup)
    wanted.notes += later_notes(wanted)
    return wanted


def later_notes(wanted: Restoration) -> Iterator[str]:
    """Later migrations whose changes are not taken back along with those of ``wanted``."""
    covered = wanted.paths()
    for later in backups(wanted.folder):
        if later.name <= wanted.backup.name or not later.carried_out:
            continue
        changed = restoration_of(later).paths() - covered
        left = sorted(path for path in changed if stands(later, path))
        if left:
            found = ", ".join(map(str, left))
            yield f"a later migration stays ({found}): `llm-router rollback {later.name}` first"


def stands(backup: Backup, path: PurePosixPath) -> bool:
    """Whether what a migration has left at ``path`` is there still, as far as can be told.

    A file with other content is of an earlier time, or somebody else's.
    """
    manifest = backup.manifest
    digests: dict[PurePosixPath, str | None] = {}
    digests |= {file.path: file.written for file in manifest.files}
    digests |= {link.path: link.written for link in manifest.symlinks}
    digests |= {added.path: added.sha256 for added in manifest.added}
    digest = digests.get(path)
    return digest is None or digest_at(backup.folder / path) == digest


def bring_back(backup: Backup, observe: Observe) -> tuple[Restoration, PurePosixPath | None]:
    """Carry it out, once no service runs any more."""
    folder = backup.folder
    try:
        wanted = wanted_of(backup)
        check_stopped(folder)
        return wanted, restore(wanted, observe)
    except OSError as error:
        why = disk_error(folder, error)
        if decided(folder) is None:
            give_up(folder, observe)
            raise MigrationError(f"{why}; the folder is as it was") from None
        message = f"{why}; the rollback is not finished: mend that, and roll back again"
        raise MigrationError(message) from None


def give_up(folder: Path, observe: Observe) -> None:
    """Throw away what was prepared."""
    with disk_errors(folder):
        drop_partial(folder)
        clear(folder, observe)
