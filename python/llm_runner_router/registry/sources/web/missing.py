"""How much of a file has not come yet."""

from __future__ import annotations

from pathlib import Path


def size_of(path: Path) -> int | None:
    """The bytes of a regular file that a name leads to; ``None``: there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def missing_bytes(target: Path, size: int) -> int:
    """What a download of ``size`` bytes has still to bring: the beginning may lie there."""
    if size_of(target) == size:
        return 0
    return max(size - (size_of(target.with_name(f"{target.name}.part")) or 0), 0)
