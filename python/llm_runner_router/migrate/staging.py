"""The result of a migration beside the folder: a tree with new content and links to the rest.

``.llm-router-migration/tree`` looks as the folder will: what changes lies in it, everything else is
a link to the original, so that relative paths lead where they will lead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from llm_runner_router.migrate import durable
from llm_runner_router.migrate.relative_path import BACKUPS, WORK
from llm_runner_router.migrate.step import Observe, Step
from llm_runner_router.migrate.work import Work

TREE = PurePosixPath(WORK, "tree")
LINKS = PurePosixPath(WORK, "links")
TRASH = PurePosixPath(WORK, "trash")


def begin(folder: Path, observe: Observe) -> None:
    """Make the folder of the work, which says that something is going on. OSError."""
    observe(Step.BEGIN)
    durable.make_folder(folder / WORK, 0o700)
    for place in (TREE, LINKS, TRASH):
        durable.make_folder(folder / place, 0o700)


def stage(work: Work, observe: Observe) -> Path:
    """Build the tree, and tell where it is. OSError."""
    tree = work.folder / TREE
    for place in changed_folders(work):
        (tree / place).mkdir(exist_ok=True)
    for write in work.writes:
        observe(Step.STAGE_FILE)
        durable.write(tree / write.path, write.after, mode_of(work.folder, write.path))
    for number, link in enumerate(work.links):
        observe(Step.STAGE_FILE)
        (work.folder / LINKS / str(number)).symlink_to(work.link_text(link))
    observe(Step.STAGE_LINKS)
    link_originals(work, tree)
    return tree


def mode_of(folder: Path, path: PurePosixPath) -> os.stat_result:
    """What a file that is written is like: as it was, or as open as its folder."""
    try:
        return (folder / path).stat()
    except FileNotFoundError:
        return durable.new_like((folder / path).parent, durable.FILE_BITS)


def changed_folders(work: Work) -> Sequence[PurePosixPath]:
    """The folders in which something changes, outermost first; the folder itself is ``.``."""
    paths = list(work.placed)
    for move in (*work.moves, *work.links):
        paths += [move.path, move.target]
    return sorted({parent for path in paths for parent in path.parents})


def link_originals(work: Work, tree: Path) -> None:
    """Links to what is not changed, and to what moves at its new place."""
    moved = {move.path: move.target for move in (*work.moves, *work.links)}
    inside, placed = set(changed_folders(work)), set(work.placed)
    for place in inside:
        for path in entries(work.folder, place):
            if path not in inside and path not in moved and path not in placed:
                (tree / path).symlink_to(work.folder.absolute() / path)
    for path, target in moved.items():
        (tree / target).symlink_to(work.folder.absolute() / path)


def entries(folder: Path, place: PurePosixPath) -> Iterator[PurePosixPath]:
    """What is in a folder that may not be there yet, without what is ours."""
    if (folder / place).is_dir():
        for name in os.listdir(folder / place):  # noqa: PTH208 - names alone are needed
            if not (place == PurePosixPath() and name in {WORK, BACKUPS}):
                yield place / name


def settle(work: Work) -> None:
    """Bring what will be placed to the disk, as it will be. OSError."""
    tree = work.folder / TREE
    database = work.plan.database
    if database is not None:
        like = durable.new_like((work.folder / database).parent, durable.FILE_BITS)
        durable.adopt(tree / database, like)
        (tree / database).chmod(like.st_mode)
        durable.sync(tree / database)
    durable.sync_folders(work.folder / WORK)
