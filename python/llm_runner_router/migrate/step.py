"""The steps of a migration and of the way back, each at a point where a process may be killed."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What is about to happen. Some happen several times, once for each file or folder.

    Up to and with ``WRITE_JOURNAL`` nothing of the folder is changed, and what was prepared is
    thrown away after a kill. From ``KEEP_JOURNAL`` on, which is one rename, it is brought to its
    end by whoever comes next.
    """

    CHECK_PLAN = "check that nothing has changed since the plan"
    CHECK_BACKUP = "check the sums of the backup"
    STOP_SERVICE = "stop the service"
    BEGIN = "make the folder of the work"
    BACK_UP_FILE = "copy a file into the backup"
    WRITE_MANIFEST = "write the list of the backup"
    KEEP_BACKUP = "give the backup its name"
    KEEP_CHANGED = "copy what has changed since the migration"
    STAGE_FILE = "write a file beside the others"
    STAGE_LINKS = "link what stays as it is"
    TRY_ROUTER = "start a router on the result"
    CHECK_AGAIN = "check that nothing has changed meanwhile"
    WRITE_JOURNAL = "write the list of what is to be done"
    KEEP_JOURNAL = "decide"
    MAKE_FOLDER = "make a folder"
    MOVE_FILE = "move a file"
    PLACE_FILE = "put a file in its place"
    REMOVE_FOLDER = "remove a folder"
    FORGET_JOURNAL = "forget the list"
    CLEAR = "clear the folder of the work"


Observe = Callable[[Step], None]
"""Told of each step before it happens."""


def unobserved(step: Step) -> None:
    """Nobody looks on."""
    del step
