"""The right of one service to use a registry file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from llm_runner_router.errors import InvalidConfigError


class FileLock:
    """Held beside the file in ``<name>.lock``; the kernel drops it when the process ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, path: Path) -> FileLock:
        """Take the lock or raise InvalidConfigError; creates the folder."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(path.with_name(path.name + ".lock"), flags, 0o600)
        except (OSError, ValueError) as error:
            raise unusable(path, f"a path that can be written ({error})") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise unusable(path, "a file that no other running service uses") from None
        return cls(descriptor)

    def release(self) -> None:
        """Give it back. Called once."""
        os.close(self._descriptor)


def unusable(path: Path | None, allowed: str) -> InvalidConfigError:
    """The error of a registry file that cannot be opened."""
    return InvalidConfigError("registry.path", str(path), allowed)
