"""Which services run on a folder: ``.llm-router/<pid>.pid``, locked for as long as one lives.

The file holds JSON: ``pid``, ``address``, ``started`` (UTC) and ``drainTimeout`` (seconds). The
kernel drops the lock with the process, so a file whose lock is free says nothing.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER, END = ".llm-router", ".pid"
MOST_BYTES = 65_536

logger = logging.getLogger(__name__)


class PidFile:
    """This process's file. It is there whole, and locked, from the moment it has its name."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, address: str, drain_timeout: float) -> PidFile:
        """Say that this process serves ``folder``. Takes the place of an earlier one. OSError."""
        place = folder / FOLDER
        place.mkdir(mode=0o755, exist_ok=True)
        if place.is_symlink():
            raise OSError(
                errno.ELOOP, "a symbolic link, which nothing is written through", str(place)
            )
        content = {
            "pid": os.getpid(),
            "address": address,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "drainTimeout": drain_timeout,
        }
        made = place / f"{os.getpid()}.new"
        made.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(made, flags, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, json.dumps(content).encode() + b"\n")
            made.replace(path := made.with_suffix(END))
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    def close(self) -> None:
        """The process serves the folder no longer. Called once."""
        with suppress(OSError):
            if os.path.samestat(self._path.stat(), os.fstat(self._descriptor)):
                self._path.unlink()
                self._path.parent.rmdir()  # unless others serve there too
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that lived when it was looked for. ``drain_timeout`` in seconds."""

    path: Path
    pid: int
    address: str
    started: str
    drain_timeout: float


def running_services(folder: Path) -> Sequence[RunningService]:
    """Those that serve ``folder``; files of services that have ended are removed.

    OSError where the folder of the files cannot be read.
    """
    try:
        paths = sorted((folder / FOLDER).glob("*" + END))
    except FileNotFoundError:
        return []
    return [service for path in paths if (service := look(path)) is not None]


def look(path: Path) -> RunningService | None:
    """The service of a file; ``None`` where it has ended, or the file is none.

    Through a link nothing is looked for: what lies elsewhere is not ours to remove.
    """
    if path.is_symlink() or path.parent.is_symlink():
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        if is_locked(descriptor):
            return parsed(path, os.read(descriptor, MOST_BYTES))
        with suppress(OSError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                path.unlink()
                path.parent.rmdir()  # unless others serve there
        return None
    finally:
        os.close(descriptor)


def is_locked(descriptor: int) -> bool:
    """Whether another process holds the lock of an open file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def parsed(path: Path, content: bytes) -> RunningService | None:
    """What a file says; nothing where it is none of ours."""
    try:
        values = json.loads(content)
        pid, drain = int(values["pid"]), float(values["drainTimeout"])
        service = RunningService(path, pid, str(values["address"]), str(values["started"]), drain)
    except (ValueError, TypeError, KeyError, OverflowError):
        logger.warning("%s is held by a process, and says nothing useful", path)
        return None
    return service if service.pid > 1 and path.name == f"{service.pid}{END}" else None
