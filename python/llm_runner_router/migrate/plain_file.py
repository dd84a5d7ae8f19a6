"""Files of a folder, read only where they are what they seem to be."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import InvalidConfigError

ALLOWED = "a regular file that can be read, in folders that are no links"


def read_plain(folder: Path, path: PurePosixPath, limit: int) -> bytes | None:
    """The content of a file below ``folder``; ``None`` where there is none.

    InvalidConfigError for links (a migration would replace them), for what is no regular file or
    cannot be read, and for more than ``limit`` bytes.
    """
    try:
        check_parents(folder, path)
        return read_regular(folder / path, str(path), limit)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidConfigError(str(path), error.strerror or "unreadable", ALLOWED) from None


def check_parents(folder: Path, path: PurePosixPath) -> None:
    """Refuse links among the folders that lead to a file, unless there is none."""
    link = linked_parent(folder, path)
    if link is not None and os.path.lexists(folder / path):
        raise InvalidConfigError(str(link), "a symbolic link", ALLOWED)


def linked_parent(folder: Path, path: PurePosixPath) -> PurePosixPath | None:
    """The outermost link among the folders that lead from ``folder`` to ``path``, if any is one."""
    inside = list(path.parents)[-2::-1]
    return next((parent for parent in inside if (folder / parent).is_symlink()), None)


def read_regular(file: Path, name: str, limit: int) -> bytes:
    """The content of a regular file."""
    if file.is_symlink():
        raise InvalidConfigError(name, "a symbolic link", ALLOWED)
    # A pipe must not be waited for.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise InvalidConfigError(name, "no regular file", ALLOWED)
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidConfigError(name, "a larger file", f"at most {limit} bytes")
    return data
