"""Cached prefixes on disk: where each model's snapshot lies, and how much room they take.

A snapshot is good for one content of the model's files, one build and the settings that the
numbers depend on; all of that is its key, and the digest of the key its name. So a file that is
renamed keeps its snapshot, and one that is replaced gets another.

The folder belongs to the service. Whoever can write to it decides what models take for their
cached prefixes, as whoever can write a model's file decides what it answers.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.providers.file_digests import FileDigests, FileStamp
from llm_runner_router.providers.lock_file import lock_path, try_lock, unlock
from llm_runner_router.version import VERSION

SNAPSHOT = re.compile(r"[0-9a-f]{64}\.kv")
UNFINISHED = re.compile(
    r"([0-9a-f]{64}\.kv|digests\.json)\.[A-Za-z0-9_]+\.tmp|[0-9a-f]{64}\.kv\.lock"
)

TURN_SECONDS, POLL_SECONDS = 5.0, 0.05
"""How long somebody waits who wants to save what another saves, and how often they look."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KvSnapshot:
    """Where the prefixes of one loaded model are kept, and under which key."""

    path: Path
    key: str
    files: tuple[FileStamp, ...]

    @property
    def current(self) -> bool:
        """Whether the model's files are still those whose digest the key holds."""
        return all(stamp.present for stamp in self.files)


class KvSnapshots:
    """The snapshots of a folder, which take at most ``limit_bytes`` (1 and more) in all.

    One that is being written comes on top of that until it is complete. All methods block; they
    are thread-safe, also between processes.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._digests = FileDigests(folder / "digests.json")
        self.limit_bytes = limit_bytes

    def open(self) -> None:
        """Create the folder, and remove what killed processes left there. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            if UNFINISHED.fullmatch(path.name):
                remove_unless_locked(path)

    def find(
        self,
        model: Sequence[FileStamp],
        build: Sequence[Path],
        identity: str,
        wanted: Callable[[], bool],
    ) -> KvSnapshot | None:
        """The snapshot of a model, whether there is one yet or not.

        ``model`` are its files, stamped before it was loaded, ``build`` the files of the code that
        computes, ``identity`` the settings. Reads all of a file that is new or has changed. None
        where a file is not the stamped one any more, or once nothing is ``wanted``. Raises OSError.
        """
        code = [FileStamp.of(path) for path in sorted(build)]
        digests = [self._digests.sha256(stamp, wanted) for stamp in (*code, *model)]
        if None in digests:
            return None
        contents = digest_of(*map(str, digests))
        key = f"version={VERSION} contents={contents} {identity}"
        return KvSnapshot(self._folder / f"{digest_of(key)}.kv", key, tuple(model))

    @contextmanager
    def turn(self, snapshot: KvSnapshot) -> Iterator[None]:
        """While the block runs nobody else has a turn with this snapshot, in whatever process.

        Raises OSError, and TimeoutError where another has it for too long.
        """
        path, end = lock_path(snapshot.path), time.monotonic() + TURN_SECONDS
        while (descriptor := try_lock(path)) is None:
            if time.monotonic() > end:
                raise TimeoutError("another engine saves its own for too long")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            unlock(path, descriptor)

    def trim(self) -> None:
        """Delete the oldest snapshots until the rest is within the limit."""
        found = []
        for path in self._folder.iterdir():
            if SNAPSHOT.fullmatch(path.name):
                with suppress(OSError):  # another process was faster
                    status = path.lstat()
                    found.append((status.st_mtime_ns, status.st_size, path))
        left = self.limit_bytes
        for _, size, path in sorted(found, reverse=True):
            left -= size
            if left < 0:
                remove(path)

    def discard(self, snapshot: KvSnapshot, why: str) -> None:
        """Delete a snapshot that cannot be used."""
        logger.warning("snapshot %s of cached prefixes is discarded: %s", snapshot.path, why)
        remove(snapshot.path)


def digest_of(*texts: str) -> str:
    """SHA-256 of texts in hexadecimal digits."""
    return hashlib.sha256("\n".join(texts).encode(errors="replace")).hexdigest()


def remove(path: Path) -> None:
    """Delete a file, if that is possible; it is tried again when it is in the way again."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s cannot be deleted: %s", path, error)


def remove_unless_locked(path: Path) -> None:
    """Delete a file that nobody is writing: who does holds a lock."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
