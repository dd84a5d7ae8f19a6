"""Locks in files beside what they protect, held among all processes and all threads of them.

The kernel drops a lock when its process ends. A file that nobody holds says nothing; it is taken
away when a lock is given back, and may be left by a process that was killed.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_path(target: Path) -> Path:
    """Where the lock of a file lies."""
    return target.with_name(target.name + ".lock")


def try_lock(path: Path) -> int | None:
    """The descriptor of the locked file, or ``None`` where another holds it. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if same_file(descriptor, path):
            return descriptor
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def unlock(path: Path, descriptor: int) -> None:
    """Give back what ``try_lock`` has given. Raises OSError, and gives it back all the same."""
    try:
        path.unlink(missing_ok=True)  # before it is let go: whoever comes next makes a new one
    finally:
        os.close(descriptor)


def same_file(descriptor: int, path: Path) -> bool:
    """Whether the file was not taken away by its holder before it was locked."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
