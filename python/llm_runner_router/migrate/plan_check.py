"""Whether a plan still holds, and whether it can be carried out at all."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.plain_file import linked_parent
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.relative_path import BACKUPS, WORK, inside, is_text

AGAIN = "plan the migration again"


def check_plan(plan: Plan) -> None:
    """MigrationError where the folder is not as the plan takes it to be, or refuses changes."""
    check_paths(plan)
    for change in plan.changes:
        match change:
            case WriteFile():
                check_write(plan.folder, change)
            case MoveFile():
                check_move(plan.folder, change)
    if plan.database is not None:
        check_free(plan.folder, plan.database)
    for path in touched(plan):
        check_parents(plan.folder, path)
        check_link(plan.folder, path)


def touched(plan: Plan) -> Iterator[PurePosixPath]:
    """Each path that is to change."""
    for change in plan.changes:
        yield change.path
        if isinstance(change, MoveFile):
            yield change.target
    if plan.database is not None:
        yield plan.database


def check_paths(plan: Plan) -> None:
    """Each once, inside the folder and outside of what is ours."""
    for path, times in Counter(touched(plan)).items():
        try:
            inside(path)
        except ValueError as error:
            raise MigrationError(str(error)) from None
        if path.parts[0] in {WORK, BACKUPS}:
            raise MigrationError(f"{path} belongs to the migration itself")
        if times > 1:
            raise MigrationError(f"{path} stands twice in the plan")


def check_write(folder: Path, write: WriteFile) -> None:
    """The file is what the plan was made from."""
    if write.before is None:
        check_free(folder, write.path)
        return
    path = folder / write.path
    try:
        if not path.is_file():
            raise changed(write.path, "it is no file any more")
        content = path.read_bytes()
    except OSError as error:
        raise changed(write.path, error.strerror or "it cannot be read") from None
    if content != write.before:
        raise changed(write.path, "its content is another now")


def check_move(folder: Path, move: MoveFile) -> None:
    """The file is there, its place is free, and a rename leads from one to the other."""
    path = folder / move.path
    if not path.is_symlink() and not path.is_file():
        raise changed(move.path, "there is no such file any more")
    check_free(folder, move.target)
    if not path.is_symlink() and path.stat().st_dev != nearest(folder / move.target).stat().st_dev:
        message = f"{move.path} and {move.target} lie on different disks: move the file by hand"
        raise MigrationError(f"{message}, then {AGAIN}")


def check_free(folder: Path, path: PurePosixPath) -> None:
    """Nothing is there."""
    if os.path.lexists(folder / path):
        raise changed(path, "something is there now, and nothing is overwritten")


def check_parents(folder: Path, path: PurePosixPath) -> None:
    """The folder that a file lies in, or will, can be changed."""
    link = linked_parent(folder, path)
    if link is not None:
        raise MigrationError(f"{link} is a symbolic link, so {path} is not written through it")
    place = nearest(folder / path)
    if not place.is_dir():
        raise MigrationError(f"{place} is no folder, so {path} cannot be written")
    if not os.access(place, os.W_OK | os.X_OK):
        raise MigrationError(f"the folder {place} cannot be written; nothing was changed")


def check_link(folder: Path, path: PurePosixPath) -> None:
    """What a link says can be written into the list of the backup."""
    link = folder / path
    if link.is_symlink() and not is_text(str(link.readlink())):
        raise MigrationError(f"{path} is a link to a name that is no UTF-8: rename that by hand")


def nearest(path: Path) -> Path:
    """What is there of the way to ``path``, at most the folder it lies in."""
    place = path.parent
    while not os.path.lexists(place):
        place = place.parent
    return place


def changed(path: PurePosixPath, how: str) -> MigrationError:
    """The error of a folder that is not as it was."""
    return MigrationError(f"{path} has changed since the plan was made ({how}): {AGAIN}")
