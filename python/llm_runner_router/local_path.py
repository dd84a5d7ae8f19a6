"""Paths of this machine, as people write them on the command line and in settings."""

from __future__ import annotations

import os
from pathlib import Path


def expanded(text: str | Path) -> Path:
    """``~`` made the user's home, and ``~name`` that of another; of nobody it stays as it is."""
    # Path.expanduser would raise RuntimeError for the home of nobody.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def exists(path: Path) -> bool:
    """Whether something is there; what cannot be looked at, such as too long a name, is not."""
    try:
        return path.exists()
    except OSError:
        return False


def is_regular(path: Path) -> bool:
    """Whether a regular file is there, as far as that can be seen."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder is there, as far as that can be seen."""
    try:
        return path.is_dir()
    except OSError:
        return False


def absolute(source: str) -> str:
    """The absolute path of what exists here; anything else as it is."""
    path = expanded(source)
    # An empty text would be the present folder.
    return str(path.absolute()) if source and exists(path) else source
