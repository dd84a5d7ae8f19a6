"""The files that a configuration names, looked at before a service would fail on them.

The trial of a migration opens neither: they belong to a service that may be running.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.config import old_place
from llm_runner_router.migrate.plan_check import nearest
from llm_runner_router.migrate.transformed import Transformed

SQLITE = b"SQLite format 3\0"
"""Begins each database that is not empty (https://www.sqlite.org/fileformat2.html)."""

DATABASE = (
    "an SQLite database, or a path where nothing is yet; models/registry.json is read without it"
)


def check_files(folder: Path, new: Transformed) -> None:
    """Refuse a registry that is no database, and a log that cannot be written.

    Relative paths begin in ``folder``. InvalidConfigError names the place in the old file.
    """
    for (section, key), fault in FAULTS.items():
        value = new.content.get(section, {}).get(key)
        allowed = fault_of(fault, folder / value) if isinstance(value, str) and value else ""
        if allowed:
            raise InvalidConfigError(old_place(new, f"{section}.{key}"), value, allowed)


def fault_of(fault: Callable[[Path], str], path: Path) -> str:
    """What ``fault`` says of a file; nothing where it cannot be looked at by this user.

    The service may be another user's.
    """
    try:
        return fault(path)
    except PermissionError:
        return ""
    except OSError as error:
        return f"a path that can be opened ({error.strerror})"


def registry_fault(path: Path) -> str:
    """What a registry should be that a service cannot use; empty where it can. OSError."""
    if not path.exists():
        return ""
    if not path.is_file():
        return DATABASE
    with path.open("rb") as file:
        begin = file.read(len(SQLITE))
    return "" if begin in {b"", SQLITE} else DATABASE


def log_fault(path: Path) -> str:
    """Why a file cannot be added to, in words that say what is allowed; empty where it can.

    OSError where it cannot be looked at.
    """
    if path.exists():
        fits = not path.is_dir() and os.access(path, os.W_OK)
        return "" if fits else "a file that can be written"
    place = nearest(path)
    if not place.is_dir():
        return f"a path in a folder; {place} is none"
    if not os.access(place, os.W_OK | os.X_OK) or holds_nothing(place):
        return f"a path that can be written; in {place} nothing can be made"
    return ""


def holds_nothing(place: Path) -> bool:
    """Whether a folder is none of a disk, as /proc: not even root can make anything there."""
    disk = os.statvfs(place)
    return disk.f_blocks == disk.f_files == 0


FAULTS: Mapping[tuple[str, str], Callable[[Path], str]] = {
    ("registry", "path"): registry_fault,
    ("logging", "file"): log_fault,
}
