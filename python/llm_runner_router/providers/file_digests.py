"""Digests of large files, remembered as long as the files are the same."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

CHUNK = 16 << 20
"""Bytes that are read between two looks at whether the digest is still wanted."""

SETTLED_SECONDS = 2.0
"""Age of a change after which another one shows in the file's times, whatever their resolution."""

MOST_REMEMBERED = 1000
MOST_SIDECAR_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells a file from one that has taken its place, without reading it."""

    path: str
    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The stamp of a file as it is; links are followed. Raises OSError."""
        found = path.stat()
        times = (found.st_mtime_ns, found.st_ctime_ns)
        return cls(os.path.abspath(path), found.st_size, *times, found.st_ino)  # noqa: PTH100

    @property
    def settled(self) -> bool:
        """Whether a change from now on would show."""
        return time.time() - max(self.modified_ns, self.changed_ns) / 1e9 > SETTLED_SECONDS

    @property
    def present(self) -> bool:
        """Whether the file is still the one that was stamped."""
        try:
            return FileStamp.of(Path(self.path)) == self
        except (OSError, ValueError):
            return False


class FileDigests:
    """Remembers digests in a JSON file; one that is lost or damaged costs time, nothing else.

    Thread-safe, also between processes: who writes last wins.
    """

    def __init__(self, sidecar: Path) -> None:
        self._sidecar = sidecar

    def sha256(self, stamp: FileStamp, wanted: Callable[[], bool]) -> str | None:
        """The digest of a file's whole content in hexadecimal digits; blocks.

        None where the file is not the stamped one, before or after it was read, or once it is no
        longer ``wanted``. Raises OSError.
        """
        remembered = self._read()
        known = remembered.get(stamp.path)
        if known is not None and known[:-1] == list(astuple(stamp))[1:] and stamp.present:
            return str(known[-1])
        digest = content_digest(Path(stamp.path), wanted)
        if digest is None or not stamp.present:
            return None
        if stamp.settled:
            remembered.pop(stamp.path, None)
            self._write({**remembered, stamp.path: [*astuple(stamp)[1:], digest]})
        return digest

    def _read(self) -> dict[str, list[Any]]:
        """What is remembered: of each path the rest of its stamp, and the digest."""
        try:
            with self._sidecar.open("rb") as file:
                values = json.loads(file.read(MOST_SIDECAR_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        entries = values.items() if isinstance(values, dict) else ()
        return {path: entry for path, entry in entries if well_formed(entry)}

    def _write(self, entries: dict[str, list[Any]]) -> None:
        """Replace the file, or leave it where that is impossible."""
        latest = dict(list(entries.items())[-MOST_REMEMBERED:])
        with suppress(OSError):
            descriptor, name = tempfile.mkstemp(
                prefix=f"{self._sidecar.name}.", suffix=".tmp", dir=self._sidecar.parent
            )
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    json.dump(latest, file)
                Path(name).replace(self._sidecar)
            except OSError:
                Path(name).unlink(missing_ok=True)


def content_digest(path: Path, wanted: Callable[[], bool]) -> str | None:
    """SHA-256 of a file, or None once nobody wants it. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            if not wanted():
                return None
            digest.update(chunk)
    return digest.hexdigest()


def well_formed(entry: object) -> bool:
    """Whether a remembered entry is four numbers and a digest."""
    match entry:
        case [int(), int(), int(), int(), str(digest)]:
            return len(digest) == 64 and set(digest) <= set("0123456789abcdef")
    return False
