"""Paths inside a folder, as plans, backups and journals name them."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator

WORK = ".llm-router-migration"
"""The folder of what is being prepared, and of the journal."""

BACKUPS = "migration-backup"
"""The folder of the backups."""


def inside(path: PurePosixPath) -> PurePosixPath:
    """``path`` as it is. ValueError unless it leads to a place below its folder."""
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in str(path):
        raise ValueError(f"{str(path)!r} is no path inside the folder")
    if not is_text(str(path)):
        raise ValueError(f"{str(path)!r} is no name in UTF-8: give it another by hand")
    return path


def is_inside(path: PurePosixPath) -> bool:
    """Whether ``path`` leads to a place below its folder."""
    try:
        return inside(path) == path
    except ValueError:
        return False


def is_text(name: str) -> bool:
    """Whether JSON can hold it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


RelativePath = Annotated[PurePosixPath, AfterValidator(inside)]
