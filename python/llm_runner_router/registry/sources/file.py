"""Sources that are files of this machine: a path, or ``file://``."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llm_runner_router.errors import InvalidRequestError, ModelFileError, UnsupportedError, shorten

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def absolute_path(source: str, folder: Path) -> Path:
    """The path that ``source`` names; relative ones start from ``folder``.

    Nothing is read. UnsupportedError for other schemes, InvalidRequestError for what is no path.
    """
    scheme = SCHEME.match(source)
    if scheme is None:
        path = source
    elif scheme.group().lower() == "file://":
        path = path_of_url(source)
    else:
        message = f"source: {shorten(source)} is of a kind that this version cannot load"
        raise UnsupportedError(f"{message}; allowed: a path, or file://")
    if not path or "\0" in path:
        raise InvalidRequestError("source", source, "the path of a model's file")
    return Path(os.path.normpath(folder / path))


def path_of_url(url: str) -> str:
    """The path of a ``file://`` URL."""
    allowed = "file:///absolute/path"
    try:
        parts = urlsplit(url)
        path = unquote(parts.path, errors="strict")
    except ValueError:
        raise InvalidRequestError("source", url, allowed) from None
    if parts.netloc not in ("", "localhost") or not path.startswith("/"):
        raise InvalidRequestError("source", url, allowed)
    return path


def checked_file(path: Path) -> int:
    """The size in bytes of a regular file that may be read; else ModelFileError."""
    try:
        found = path.stat()
    except OSError as error:
        raise unreadable(path, error.strerror or "cannot be reached") from None
    except ValueError as error:
        raise unreadable(path, str(error)) from None
    if not stat.S_ISREG(found.st_mode):
        raise unreadable(path, "is no regular file")
    if not os.access(path, os.R_OK):
        raise unreadable(path, "may not be read")
    return found.st_size


def unreadable(path: Path, why: str) -> ModelFileError:
    """The error of a file that cannot be used."""
    return ModelFileError(f"model file {shorten(str(path), 200)}: {why}")
