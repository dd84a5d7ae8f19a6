"""What an interrupted migration or rollback has left: brought to its end, or thrown away."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import backup, journal
from llm_runner_router.migrate.folder_lock import folder_lock
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.step import Observe, unobserved


class Recovery(StrEnum):
    """What was found, and what has become of it."""

    NOTHING = "nothing was interrupted"
    CLEARED = "what an interrupted migration or rollback had prepared was thrown away"
    FINISHED = "an interrupted migration was finished"
    FINISHED_ROLLBACK = "an interrupted rollback was finished"


def recover(folder: Path, observe: Observe = unobserved) -> Recovery:
    """Leave no folder half old and half new. It may be interrupted and called again.

    MigrationError where somebody is at work there right now, or it cannot be finished. Without
    anything to do, nothing is written and nothing need be writable.
    """
    if not (folder / WORK).is_dir():
        return Recovery.NOTHING
    with folder_lock(folder):
        return recover_locked(folder, observe)


def recover_locked(folder: Path, observe: Observe) -> Recovery:
    """As ``recover``, for whoever holds the lock of the folder."""
    if not (folder / WORK).is_dir():
        return Recovery.NOTHING
    try:
        left = journal.decided(folder)
        if left is None:
            backup.drop_partial(folder)
            journal.clear(folder, observe)
            return Recovery.CLEARED
        journal.complete(folder, left, observe)
    except OSError as error:
        raise stuck(folder, error) from None
    return Recovery.FINISHED if left.of == "migration" else Recovery.FINISHED_ROLLBACK


def stuck(folder: Path, error: OSError) -> MigrationError:
    """The error of a folder that cannot be recovered now."""
    place = error.filename or folder
    message = f"an interrupted migration of {folder} cannot be finished: {place}: {error.strerror}"
    return MigrationError(message + "; mend that, and try again")
