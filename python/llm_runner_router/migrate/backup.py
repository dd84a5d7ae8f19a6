"""Backups of a folder: ``migration-backup/<time>/``, each whole or not there, never overwritten.

``manifest.json`` says what is in it, ``files/`` holds it, and ``replaced/`` what rollbacks have
taken out of the folder. ``pending`` lies in it until the migration is decided on. Git is told to
leave all of it alone: what is ignored where it lies may be a secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import MigrationError, shorten
from llm_runner_router.migrate import durable
from llm_runner_router.migrate.digest import file_digest
from llm_runner_router.migrate.manifest import KeptFile, Manifest, document, parsed
from llm_runner_router.migrate.relative_path import BACKUPS
from llm_runner_router.migrate.step import Observe, Step

MANIFEST, FILES, REPLACED, PENDING = "manifest.json", "files", "replaced", "pending"
PARTIAL = ".partial"
IGNORE, IGNORED = ".gitignore", b"*\n"
TIME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole backup below ``folder``. ``name`` is its time (UTC)."""

    folder: Path
    name: str
    manifest: Manifest

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / BACKUPS / self.name

    @property
    def inside(self) -> PurePosixPath:
        """The same, relative to the folder."""
        return PurePosixPath(BACKUPS, self.name)

    @property
    def carried_out(self) -> bool:
        """Whether the migration that it was made for was decided on."""
        return not (self.path / PENDING).exists()

    def content(self, file: KeptFile) -> Path:
        """Where the content of a file lies."""
        return self.path / FILES / file.path

    def verify(self) -> None:
        """MigrationError unless every file is as it was when it was kept."""
        for file in self.manifest.files:
            content = self.content(file)
            try:
                right = not content.is_symlink() and file_digest(content) == file.sha256
            except OSError as error:
                raise self._damaged(file, f"cannot be read ({error.strerror})") from None
            if not right:
                raise self._damaged(file, "differs from its checksum")

    def _damaged(self, file: KeptFile, why: str) -> MigrationError:
        message = f"the backup {self.name} is damaged: {FILES}/{file.path} {why}"
        return MigrationError(message + "; the folder is as it was")


def make_backup(
    folder: Path,
    manifest: Manifest,
    contents: Mapping[PurePosixPath, bytes],
    observe: Observe,
) -> Backup:
    """Write one that is whole and on the disk once it has its name. OSError.

    Its name is the time of the manifest; ``contents`` of its files, by their paths.
    """
    place, name = folder / BACKUPS, manifest.time
    if not place.is_dir():
        durable.make_folder(place, 0o700)
    ignore(place)
    partial = place / (name + PARTIAL)
    durable.make_folder(partial, 0o700)
    durable.make_folder(partial / FILES, 0o700)
    for file in manifest.files:
        observe(Step.BACK_UP_FILE)
        keep(partial / FILES, file, contents[file.path])
    observe(Step.WRITE_MANIFEST)
    like = durable.new_like(partial, durable.FILE_BITS)
    durable.write(partial / PENDING, b"", like)
    durable.write(partial / MANIFEST, document(manifest), like)
    durable.sync_folders(partial)
    observe(Step.KEEP_BACKUP)
    durable.rename(partial, place / name)
    return Backup(folder, name, manifest)


def ignore(place: Path) -> None:
    """Keep the backups out of repositories; a file of the user's stays. OSError."""
    path = place / IGNORE
    if is_ours(path) and path.stat().st_size == 0:  # killed before it had its content
        path.unlink()
    if not os.path.lexists(path):
        durable.write(path, IGNORED, durable.new_like(place, 0o600))


def is_ours(path: Path) -> bool:
    """Whether it is the file that ``ignore`` writes."""
    return path.is_file() and not path.is_symlink() and path.read_bytes() in {b"", IGNORED}


def keep(files: Path, file: KeptFile, content: bytes) -> None:
    """One file of a backup. Its mode stands in the manifest; here it is for this user alone."""
    target = files / file.path
    durable.make_parents(target, files)
    durable.write(target, content, durable.new_like(files, 0o600))


def next_name(folder: Path) -> str:
    """The present time, later than every backup that is there."""
    now = datetime.now(UTC)
    last = max(names(folder), default="")
    if last >= now.strftime(TIME):  # two in a microsecond, or a clock that was put back
        now = datetime.strptime(last, TIME).replace(tzinfo=UTC) + timedelta(microseconds=1)
    return now.strftime(TIME)


def names(folder: Path) -> Sequence[str]:
    """Those of the whole backups."""
    try:
        found = [path.name for path in (folder / BACKUPS).iterdir() if path.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in found if is_name(name))


def is_name(name: str) -> bool:
    """Whether it is a time, written as here."""
    try:
        return datetime.strptime(name, TIME).replace(tzinfo=UTC).strftime(TIME) == name
    except ValueError:
        return False


def read_backup(folder: Path, name: str) -> Backup:
    """One of them. MigrationError where there is none of that name, or its list is damaged."""
    known = names(folder)
    if name not in known:
        listed = ", ".join(reversed(known)) or "none"
        raise MigrationError(f"there is no backup {shorten(name)} in {folder}; there: {listed}")
    try:
        content = (folder / BACKUPS / name / MANIFEST).read_bytes()
    except OSError as error:
        message = f"the backup {name} is damaged: manifest.json: {error.strerror}"
        raise MigrationError(message) from None
    return Backup(folder, name, parsed(content, name))


def backups(folder: Path) -> Sequence[Backup]:
    """Those whose lists can be read, the newest first."""
    found = []
    for name in reversed(names(folder)):
        with suppress(MigrationError):
            found.append(read_backup(folder, name))
    return found


def newest(folder: Path) -> Backup:
    """That of the last migration that was decided on. MigrationError where there is none."""
    for name in reversed(names(folder)):
        backup = read_backup(folder, name)
        if backup.carried_out:
            return backup
    raise MigrationError(f"there is no backup of a migration in {folder}")


def drop_partial(folder: Path) -> None:
    """Remove what interrupted migrations have left of backups. OSError."""
    for path in (folder / BACKUPS).glob("*" + PARTIAL):
        if is_name(path.name.removesuffix(PARTIAL)):  # what others call so is theirs
            durable.remove_tree(path)
    remove_if_empty(folder / BACKUPS)


def drop(backup: Backup) -> None:
    """Remove the backup of a migration that was given up before anything was changed. OSError."""
    partial = backup.path.with_name(backup.name + PARTIAL)
    durable.rename(backup.path, partial)  # so that it is whole for as long as it has its name
    durable.remove_tree(partial)
    remove_if_empty(backup.folder / BACKUPS)


def remove_if_empty(place: Path) -> None:
    """The folder of the backups, where there are none."""
    if place.is_dir() and all(path.name == IGNORE and is_ours(path) for path in place.iterdir()):
        (place / IGNORE).unlink(missing_ok=True)
        place.rmdir()
        durable.sync(place.parent)
