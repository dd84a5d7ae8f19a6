"""What reaches the disk, in its order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class DiskLog(list[tuple[str, str]]):
    """``("sync", path)`` and ``("rename", new path)``, relative to a folder, in their order."""

    def position(self, kind: str, path: str, after: int = -1) -> int:
        """Where something happens first, behind a position."""
        return self.index((kind, path), after + 1)

    def renames(self) -> Iterator[tuple[int, str]]:
        return ((place, path) for place, (kind, path) in enumerate(self) if kind == "rename")


@contextmanager
def recorded(folder: Path) -> Iterator[DiskLog]:
    """Of this process, while the block runs."""
    log, base = DiskLog(), folder.resolve()
    fsync, rename = os.fsync, Path.rename

    def relative(path: Path) -> str:
        path = path.absolute()
        return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)

    def logged_fsync(descriptor: int) -> None:
        log.append(("sync", relative(path_of(descriptor))))
        fsync(descriptor)

    def logged_rename(self: Path, target: Path) -> Path:
        log.append(("rename", relative(Path(target))))
        return rename(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", logged_fsync)
        patch.setattr(Path, "rename", logged_rename)
        yield log


def path_of(descriptor: int) -> Path:
    """The path that a descriptor was opened by."""
    link = Path(f"/proc/self/fd/{descriptor}")
    if link.exists():
        return link.readlink()
    import fcntl  # noqa: PLC0415 - macOS

    named = fcntl.fcntl(descriptor, 50, bytes(1024))  # F_GETPATH
    return Path(os.fsdecode(named.rstrip(b"\0")))
