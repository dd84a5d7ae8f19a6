"""A file of the user's that a command writes: it is there wholly, or as it was."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from stat import S_IMODE, S_ISREG

from llm_runner_router.migrate import durable


def target_of(file: Path) -> Path:
    """Where the content of ``file`` lies, or would: links stay, and what they lead to is written.

    OSError where something is there that is no regular file, such as a folder, a pipe or a device.
    """
    target = Path(os.path.realpath(file))
    status_of(target)
    return target


def write_whole(target: Path, content: bytes) -> None:
    """Put ``content`` in the place of ``target``, with the mode and the owner it had.

    A new file is for its owner alone. OSError, which leaves ``target`` as it was and nothing else.
    """
    before = status_of(target)
    descriptor, name = tempfile.mkstemp(prefix=".llm-router-", suffix=".tmp", dir=target.parent)
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if before is not None:
                durable.adopt(beside, before)
                os.fchmod(descriptor, S_IMODE(before.st_mode))
            os.fsync(descriptor)
        durable.rename(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def status_of(target: Path) -> os.stat_result | None:
    """What is said of a regular file; ``None`` where nothing is. OSError for anything else."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if not S_ISREG(found.st_mode):
        raise OSError(errno.EEXIST, "is there, and is no regular file")
    return found
