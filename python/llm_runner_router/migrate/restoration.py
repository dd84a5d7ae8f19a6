"""What has to be done to bring a folder back to a backup, told from how both are now.

So it does not matter how far a migration had come, or what happened since.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from stat import S_IMODE

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.backup import Backup
from llm_runner_router.migrate.digest import file_digest
from llm_runner_router.migrate.manifest import AddedFile, Kept, KeptFile, KeptLink, MovedFile

KEPT_BESIDE = ("-wal", "-shm", "-journal")
"""Ends of the names of files that belong to a database."""

LOCK = ".lock"


@dataclass(slots=True)
class Restoration:
    """``files`` and ``links`` get their old content, ``moves`` their old places.

    ``saved`` are copied before they are overwritten, ``set_aside`` moved: their content is neither
    that of before the migration nor that of just after it. ``discarded`` came with the migration.
    ``folders`` go if they are empty, innermost first.
    """

    backup: Backup
    files: list[KeptFile] = field(default_factory=list)
    links: list[KeptLink] = field(default_factory=list)
    saved: list[PurePosixPath] = field(default_factory=list)
    set_aside: list[PurePosixPath] = field(default_factory=list)
    discarded: list[PurePosixPath] = field(default_factory=list)
    moves: list[MovedFile] = field(default_factory=list)
    folders: list[PurePosixPath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder that is brought back."""
        return self.backup.folder

    @property
    def restored(self) -> Sequence[Kept]:
        """All that gets its old content."""
        return [*self.files, *self.links]

    @property
    def empty(self) -> bool:
        """Whether the folder is as in the backup."""
        lists = (self.files, self.links, self.set_aside, self.discarded, self.moves, self.folders)
        return not any(lists)

    def paths(self) -> frozenset[PurePosixPath]:
        """Where something is to be done."""
        kept = [one.path for one in (*self.restored, *self.moves)]
        return frozenset((*kept, *self.set_aside, *self.discarded))


def restoration_of(backup: Backup) -> Restoration:
    """Look at everything the backup speaks of. Writes nothing.

    MigrationError where a folder is in the way. OSError where something cannot be read.
    """
    result = Restoration(backup)
    for file in backup.manifest.files:
        see_file(result, file)
    for link in backup.manifest.symlinks:
        see_link(result, link)
    for added in added_files(backup):
        see_added(result, added)
    for added_link in backup.manifest.added_symlinks:
        path = result.folder / added_link.path
        if os.path.lexists(path):
            same = path.is_symlink() and str(path.readlink()) == added_link.text
            (result.discarded if same else result.set_aside).append(added_link.path)
    for move in backup.manifest.moves:
        see_move(result, move)
    made = reversed(backup.manifest.folders)
    result.folders = [path for path in made if (result.folder / path).is_dir()]
    return result


def added_files(backup: Backup) -> Iterator[AddedFile]:
    """The files that came with the migration, and what services keep beside a database."""
    for added in backup.manifest.added:
        yield added
        if added.sha256 is None:
            for end in KEPT_BESIDE:
                yield AddedFile(path=added.path.with_name(added.path.name + end))


def see_file(result: Restoration, file: KeptFile) -> None:
    """What is to be done about a file that was overwritten."""
    path = result.folder / file.path
    check_no_folder(path, file.path)
    digest = digest_at(path)
    if digest == file.sha256 and S_IMODE(path.lstat().st_mode) == file.mode:
        return
    result.files.append(file)
    if os.path.lexists(path) and digest not in {file.sha256, file.written}:
        result.saved.append(file.path)


def see_link(result: Restoration, link: KeptLink) -> None:
    """What is to be done about a link whose place was taken, or that was moved."""
    path = result.folder / link.path
    check_no_folder(path, link.path)
    if path.is_symlink() and str(path.readlink()) == link.text:
        return
    result.links.append(link)
    if os.path.lexists(path) and (link.written is None or digest_at(path) != link.written):
        result.saved.append(link.path)


def see_added(result: Restoration, added: AddedFile) -> None:
    """What is to be done about a file that was not there before."""
    path = result.folder / added.path
    if added.sha256 is None and not added.path.name.endswith(KEPT_BESIDE):
        lock = added.path.with_name(added.path.name + LOCK)
        if (result.folder / lock).is_file():
            result.discarded.append(lock)
    if not os.path.lexists(path):
        return
    if path.is_dir() and not path.is_symlink():
        result.notes.append(f"{added.path} is a folder now, and stays")
    elif added.sha256 is not None and digest_at(path) == added.sha256:
        result.discarded.append(added.path)
    else:
        result.set_aside.append(added.path)


def see_move(result: Restoration, move: MovedFile) -> None:
    """What is to be done about a file that was moved."""
    path, target = result.folder / move.path, result.folder / move.target
    if not os.path.lexists(target):
        if not os.path.lexists(path):
            result.notes.append(f"{move.target} is gone, so {move.path} is not there again")
        return
    check_no_folder(path, move.path)
    if os.path.lexists(path):
        result.set_aside.append(move.path)
    state = target.stat()
    if (state.st_size, state.st_mtime_ns) != (move.size, move.modified_ns):
        result.notes.append(f"{move.target} has changed since the migration; it is moved as it is")
    result.moves.append(move)


def digest_at(path: Path) -> str | None:
    """The sha256 of a file; ``None`` for anything else."""
    return file_digest(path) if path.is_file() and not path.is_symlink() else None


def check_no_folder(path: Path, shown: PurePosixPath) -> None:
    """MigrationError where a folder has taken the place of a file."""
    if path.is_dir() and not path.is_symlink():
        message = f"{shown} is a folder now, and was a file: give it another name, and try again"
        raise MigrationError(message)
