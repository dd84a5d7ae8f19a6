"""What a plan means file by file, once it is checked against the folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llm_runner_router.migrate.digest import digest_of
from llm_runner_router.migrate.manifest import (
    AddedFile,
    AddedLink,
    KeptFile,
    KeptLink,
    Manifest,
    MovedFile,
)
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile


@dataclass(frozen=True, slots=True)
class Work:
    """A plan by kinds of changes.

    ``links`` are the moves of symbolic links, which are made anew so that they lead to where they
    led. ``folders`` are not there yet, outermost first.
    """

    plan: Plan
    writes: Sequence[WriteFile]
    moves: Sequence[MoveFile]
    links: Sequence[MoveFile]
    folders: Sequence[PurePosixPath]

    @property
    def folder(self) -> Path:
        """The folder of the plan."""
        return self.plan.folder

    @property
    def placed(self) -> Iterator[PurePosixPath]:
        """The files that are written, the database among them."""
        yield from (write.path for write in self.writes)
        if self.plan.database is not None:
            yield self.plan.database

    @property
    def contents(self) -> Mapping[PurePosixPath, bytes]:
        """What the backup holds, by path."""
        return {write.path: write.before for write in self.writes if write.before is not None}

    def link_text(self, link: MoveFile) -> str:
        """What a link says at its new place."""
        text = str((self.folder / link.path).readlink())
        if text.startswith("/"):
            return text
        return os.path.relpath(os.path.join(link.path.parent, text), link.target.parent)  # noqa: PTH118


def work_of(plan: Plan) -> Work:
    """The work that a plan is."""
    writes = [
        change
        for change in plan.changes
        if isinstance(change, WriteFile) and change.before != change.after
    ]
    all_moves = [change for change in plan.changes if isinstance(change, MoveFile)]
    links = [move for move in all_moves if (plan.folder / move.path).is_symlink()]
    moves = [move for move in all_moves if move not in links]
    targets = [write.path for write in writes] + [move.target for move in all_moves]
    if plan.database is not None:
        targets.append(plan.database)
    return Work(plan, writes, moves, links, missing_folders(plan.folder, targets))


def missing_folders(folder: Path, targets: Sequence[PurePosixPath]) -> Sequence[PurePosixPath]:
    """The folders that have to be made for files to be there, outermost first."""
    above = {parent for target in targets for parent in target.parents}
    return sorted(path for path in above if not (folder / path).is_dir())


def manifest_of(work: Work, time: str) -> Manifest:
    """What a backup made now would hold. OSError."""
    there = [write for write in work.writes if write.before is not None]
    files = [file for write in there if (file := kept_file(work.folder, write)) is not None]
    kept = {file.path for file in files}
    links = [kept_link(work.folder, write) for write in there if write.path not in kept]
    links += [
        KeptLink(path=link.path, text=str((work.folder / link.path).readlink()))
        for link in work.links
    ]
    return Manifest(
        time=time,
        source=work.plan.source,
        files=tuple(files),
        symlinks=tuple(links),
        added=tuple(added_files(work)),
        added_symlinks=tuple(
            AddedLink(path=link.target, text=work.link_text(link)) for link in work.links
        ),
        folders=tuple(work.folders),
        moves=tuple(moved_file(work.folder, move) for move in work.moves),
    )


def kept_file(folder: Path, write: WriteFile) -> KeptFile | None:
    """A file that is overwritten, unless it is a link."""
    state = (folder / write.path).lstat()
    if (folder / write.path).is_symlink() or write.before is None:
        return None
    return KeptFile(
        path=write.path,
        sha256=digest_of(write.before),
        mode=state.st_mode & 0o7777,
        size=len(write.before),
        modified_ns=state.st_mtime_ns,
        written=digest_of(write.after),
    )


def kept_link(folder: Path, write: WriteFile) -> KeptLink:
    """A link whose place a file takes."""
    text = str((folder / write.path).readlink())
    return KeptLink(path=write.path, text=text, written=digest_of(write.after))


def added_files(work: Work) -> Sequence[AddedFile]:
    """The files that were not there."""
    added = [
        AddedFile(path=write.path, sha256=digest_of(write.after))
        for write in work.writes
        if write.before is None
    ]
    if work.plan.database is not None:
        added.append(AddedFile(path=work.plan.database))
    return added


def moved_file(folder: Path, move: MoveFile) -> MovedFile:
    """A file that gets another place."""
    state = (folder / move.path).stat()
    return MovedFile(
        path=move.path, target=move.target, size=state.st_size, modified_ns=state.st_mtime_ns
    )
