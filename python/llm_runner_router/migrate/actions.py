"""The single changes that a commit is made of: each is a rename at its heart.

Each may be carried out again after any interruption without doing more than once. What goes away
is moved, never deleted, so that a file which somebody makes in its place later is no reason to take
that away too.
"""

from __future__ import annotations

import errno
import filecmp
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from llm_runner_router.migrate import durable
from llm_runner_router.migrate.plain_file import linked_parent
from llm_runner_router.migrate.relative_path import RelativePath
from llm_runner_router.migrate.step import Step

UNFINISHED = ".llm-router-unfinished"
"""Ends the name of a copy from another file system until it is whole."""


class MakeFolder(BaseModel):
    """A folder with a mode."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["make-folder"] = "make-folder"
    path: RelativePath
    mode: Annotated[int, Field(ge=0, le=0o7777)]


class Move(BaseModel):
    """A file gets a place that is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["move"] = "move"
    path: RelativePath
    target: RelativePath


class Place(BaseModel):
    """A file that was prepared gets its place, and takes that of what was there."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["place"] = "place"
    staged: RelativePath
    path: RelativePath


class RemoveFolder(BaseModel):
    """A folder goes if there is nothing in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["remove-folder"] = "remove-folder"
    path: RelativePath


Action = Annotated[MakeFolder | Move | Place | RemoveFolder, Field(discriminator="kind")]

STEPS = {
    MakeFolder: Step.MAKE_FOLDER,
    Move: Step.MOVE_FILE,
    Place: Step.PLACE_FILE,
    RemoveFolder: Step.REMOVE_FOLDER,
}


def carry_out(folder: Path, action: Action) -> None:
    """Do it, or what is left of it. OSError where that is impossible."""
    match action:
        case MakeFolder(path=path, mode=mode):
            durable.make_folder(within(folder, path), mode)
        case Move(path=path, target=target):
            move(within(folder, path), within(folder, target))
        case Place(staged=staged, path=path):
            place(within(folder, staged), within(folder, path))
        case RemoveFolder(path=path):
            remove_folder(within(folder, path))


def within(folder: Path, path: PurePosixPath) -> Path:
    """Where ``path`` is. A journal may have come with the folder, and a link that leads away too.

    OSError where a link is among the folders that lead there.
    """
    link = linked_parent(folder, path)
    if link is not None:
        raise OSError(errno.ELOOP, "a symbolic link, which nothing is written through", str(link))
    return folder / path


def move(path: Path, target: Path) -> None:
    """Done already where ``target`` is there: it was free when the action was decided on."""
    if not os.path.lexists(path):
        return
    if not os.path.lexists(target):
        try:
            durable.rename(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            bring(path, target)
            take_away(path)
    elif on_another_disk(path, target) and same(path, target):  # killed between the two
        take_away(path)


def place(staged: Path, path: Path) -> None:
    """Done already where nothing is staged any more."""
    if not os.path.lexists(staged):
        return
    try:
        durable.rename(staged, path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        bring(staged, path)
        take_away(staged)


def bring(source: Path, target: Path) -> None:
    """Copy from another file system; ``target`` is there wholly or as it was."""
    copied = target.with_name(target.name + UNFINISHED)
    durable.copy(source, copied)
    durable.rename(copied, target)


def take_away(path: Path) -> None:
    """Remove what was copied elsewhere."""
    path.unlink()
    durable.sync(path.parent)


def on_another_disk(path: Path, target: Path) -> bool:
    """Whether a rename between them is impossible."""
    return path.lstat().st_dev != target.lstat().st_dev


def same(path: Path, target: Path) -> bool:
    """Whether both say the same."""
    if path.is_symlink() or target.is_symlink():
        return path.is_symlink() and target.is_symlink() and path.readlink() == target.readlink()
    return filecmp.cmp(path, target, shallow=False)


def remove_folder(path: Path) -> None:
    """What is not empty stays; what is gone is gone."""
    with suppress(FileNotFoundError, NotADirectoryError):
        try:
            path.rmdir()
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
        durable.sync(path.parent)
