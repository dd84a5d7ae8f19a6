"""Checksums of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest_of(content: bytes) -> str:
    """The sha256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file that is read piece by piece. OSError where it cannot be."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
