"""What has come of a file that is being downloaded: ``<name>.part`` and ``<name>.part.json``."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

PIECE = 8 * 2**20
MOST_AT_ONCE = 512
"""Pieces in one call to the system, which takes 1024 on Linux and macOS."""

MAX_STATE = 65_536


@dataclass(frozen=True, slots=True)
class Origin:
    """What a part is a part of. ``identity`` stands for the content wanted, never in clear.

    ``etag`` and ``last_modified`` are the server's own words, empty where it had none; ``size`` is
    that of the whole file, ``None`` while nobody knows.
    """

    identity: str
    etag: str = ""
    last_modified: str = ""
    size: int | None = None

    @property
    def validator(self) -> str:
        """What If-Range may name: a weak ETag does not promise the same bytes."""
        strong = self.etag if self.etag.startswith('"') else ""
        return strong or self.last_modified


class Part:
    """The beginning of a file on disk, as long as it is right to go on behind it.

    All methods block and are called from one thread at a time. Bytes are appended only, so that
    what a killed process leaves is a part too. Whoever opened it ends with ``keep`` or ``discard``
    or ``finish``. OSError from all of them.
    """

    def __init__(
        self, target: Path, identity: str, *, size: int | None = None, digest: str | None = None
    ) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.origin = Origin(identity)
        self.length = 0
        self._wanted = Origin(identity, size=size)
        self._digest = digest
        self._state = target.with_name(target.name + ".part.json")
        self._hash = hashlib.sha256()
        self._file: FileIO
        self._open = False

    @property
    def resumable(self) -> bool:
        """Whether the rest can be told to belong to what is here: by its server or its digest."""
        return self._digest is not None or bool(self.origin.validator)

    def open(self) -> None:
        """Take up what an earlier download has left of the same content."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = FileIO(os.open(self.path, flags, 0o666), "r+b")
        self._open = True
        origin = read_state(self._state)
        if origin is not None:
            self.origin = origin
            self.length = os.fstat(self._file.fileno()).st_size
        if not self._goes_on():
            self.origin = self._wanted
            self.length = 0
            self._file.truncate(0)
        self._file.seek(self.length)

    def rehash(self) -> Iterator[int]:
        """Read what was there already, for its digest; yields how many bytes were read."""
        self._file.seek(0)
        self._hash = hashlib.sha256()
        done = 0
        while self._digest is not None and (piece := self._file.read(PIECE)):
            self._hash.update(piece)
            done += len(piece)
            yield done
        self._file.seek(self.length)

    def begin(self, origin: Origin) -> None:
        """Forget what was there, and expect the bytes of ``origin``."""
        self._file.seek(0)
        self._file.truncate()
        self.length = 0
        self._hash = hashlib.sha256()
        self.origin = origin
        replace_file(self._state, json.dumps(asdict(origin)).encode())

    def append(self, pieces: Sequence[bytes]) -> None:
        """Add bytes at the end."""
        if self._digest is not None:
            for piece in pieces:
                self._hash.update(piece)
        left = [memoryview(piece) for piece in pieces]
        while left:
            written = os.writev(self._file.fileno(), left[:MOST_AT_ONCE])
            self.length += written
            left = behind(left, written)

    def digest(self) -> str:
        """The sha256 of all bytes so far, where one is wanted."""
        return self._hash.hexdigest()

    def finish(self) -> None:
        """Give the file its name, once its bytes are on the disk."""
        os.fsync(self._file.fileno())
        self.path.replace(self.target)
        self._state.unlink(missing_ok=True)
        self._close()
        sync_folder(self.target.parent)

    def keep(self) -> None:
        """Leave it for the next time, or not at all where nobody could go on behind it.

        Does nothing after ``finish`` and ``discard``.
        """
        if not self._open:
            return
        if self.length > 0 and self.resumable:
            self._close()
        else:
            self.discard()

    def discard(self) -> None:
        """Leave nothing."""
        self._close()
        self.path.unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)

    def _close(self) -> None:
        self._open = False
        self._file.close()

    def _goes_on(self) -> bool:
        """Whether what was found is a beginning of what is wanted."""
        found, wanted = self.origin, self._wanted
        sizes = [size for size in (found.size, wanted.size) if size is not None]
        fits = len(set(sizes)) < 2 and all(self.length <= size for size in sizes)
        return found.identity == wanted.identity and fits and self.resumable


def behind(pieces: Sequence[memoryview], written: int) -> list[memoryview]:
    """What is left of some pieces once that many bytes of them are written."""
    for index, piece in enumerate(pieces):
        if written < len(piece):
            return [piece[written:], *pieces[index + 1 :]]
        written -= len(piece)
    return []


def read_state(path: Path) -> Origin | None:
    """The origin of a part, or ``None`` where nothing sensible says it."""
    try:
        with path.open("rb") as file:
            found: Any = json.loads(file.read(MAX_STATE))
        origin = Origin(**found)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (origin.identity, origin.etag, origin.last_modified)
    sized = origin.size is None or (type(origin.size) is int and origin.size >= 0)
    return origin if sized and all(isinstance(text, str) for text in texts) else None


def replace_file(path: Path, content: bytes) -> None:
    """Write a small file, wholly or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.replace(path)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
