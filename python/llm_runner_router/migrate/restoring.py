"""Bringing a folder back to a backup, by the same journal as a migration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from llm_runner_router.migrate import durable, journal
from llm_runner_router.migrate.actions import Action, MakeFolder, Move, Place, RemoveFolder
from llm_runner_router.migrate.backup import REPLACED, TIME
from llm_runner_router.migrate.journal import Journal
from llm_runner_router.migrate.manifest import Kept, KeptFile, KeptLink
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.restoration import Restoration
from llm_runner_router.migrate.step import Observe, Step
from llm_runner_router.migrate.work import missing_folders

RESTORED, SAVED, DISCARDED = "restored", "saved", "discarded"


def restore(wanted: Restoration, observe: Observe) -> PurePosixPath | None:
    """Do it, and tell where the content that was replaced lies now, if any was.

    A journal that is there already is replaced by this one in one moment. OSError before that
    leaves the folder as it was.
    """
    folder, stamp = wanted.folder, datetime.now(UTC).strftime(TIME)
    room = PurePosixPath(WORK, f"rollback-{stamp}")
    replaced = wanted.backup.inside / REPLACED / stamp
    observe(Step.BEGIN)
    for place in (PurePosixPath(WORK), room, room / RESTORED, room / SAVED, room / DISCARDED):
        durable.make_folder(folder / place, 0o700)
    stage(wanted, folder / room, observe)
    decided = journal_of(wanted, room, replaced)
    journal.decide(folder, decided, observe)
    journal.complete(folder, decided, observe)
    return replaced if wanted.saved or wanted.set_aside else None


def stage(wanted: Restoration, room: Path, observe: Observe) -> None:
    """Copy what is overwritten, and what takes its place, beside it; all of it on the disk."""
    for number, path in enumerate(wanted.saved):
        observe(Step.KEEP_CHANGED)
        durable.copy(wanted.folder / path, room / SAVED / str(number))
    for number, kept in enumerate(wanted.restored):
        observe(Step.STAGE_FILE)
        stage_one(wanted, kept, room / RESTORED / str(number))
    durable.sync_folders(room)


def stage_one(wanted: Restoration, kept: Kept, staged: Path) -> None:
    """A file with its old content, mode and time, or a link with its old text."""
    match kept:
        case KeptLink(text=text):
            staged.symlink_to(text)
        case KeptFile(mode=mode, modified_ns=modified):
            content = wanted.backup.content(kept)
            place = wanted.folder / kept.path
            owner = (place if os.path.lexists(place) else content).lstat()
            durable.write(staged, content.read_bytes(), durable.with_mode(owner, mode), modified)


def journal_of(wanted: Restoration, room: PurePosixPath, replaced: PurePosixPath) -> Journal:
    """Everything in the order in which it is done."""
    actions: list[Action] = []
    kept = [*wanted.saved, *wanted.set_aside]
    actions += make_folders(wanted.folder, [replaced / path for path in kept], 0o700)
    actions += [
        Place(staged=room / SAVED / str(number), path=replaced / path)
        for number, path in enumerate(wanted.saved)
    ]
    actions += [Move(path=path, target=replaced / path) for path in wanted.set_aside]
    actions += [
        Move(path=path, target=room / DISCARDED / str(number))
        for number, path in enumerate(wanted.discarded)
    ]
    back = [kept.path for kept in (*wanted.restored, *wanted.moves)]
    actions += make_folders(wanted.folder, back)
    actions += [Move(path=move.target, target=move.path) for move in wanted.moves]
    actions += [
        Place(staged=room / RESTORED / str(number), path=restored.path)
        for number, restored in enumerate(wanted.restored)
    ]
    actions += [RemoveFolder(path=path) for path in wanted.folders]
    return Journal(of="rollback", actions=tuple(actions))


def make_folders(
    folder: Path, files: Sequence[PurePosixPath], mode: int | None = None
) -> Sequence[MakeFolder]:
    """What makes the folders that files need; as open as the ones they lie in, or with ``mode``."""
    found = []
    for path in missing_folders(folder, files):
        like = durable.new_like((folder / path).parent, durable.FOLDER_BITS)
        found.append(MakeFolder(path=path, mode=like.st_mode if mode is None else mode))
    return found
