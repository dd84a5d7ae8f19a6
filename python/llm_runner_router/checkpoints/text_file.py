"""The small files of a checkpoint: JSON and text, within limits."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.file_names import MAX_TEXT_BYTES


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file, to be read. OSError; ModelFileError where it is none.

    A pipe in the place of a file would be waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise damaged(path.name, "is no regular file")
        yield file


def read_bytes(path: Path, limit: int = MAX_TEXT_BYTES) -> bytes:
    """The content of a regular file; ModelFileError where it cannot be read or is too large."""
    try:
        with opened(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise damaged(path.name, error.strerror or "cannot be read") from None
    if len(content) > limit:
        raise damaged(path.name, f"has more than {limit} bytes")
    return content


def read_text(path: Path) -> str:
    """The content of a file of UTF-8."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise damaged(path.name, "is no UTF-8") from None


def read_object(path: Path) -> Mapping[str, Any]:
    """The JSON object that a file holds."""
    return json_object(path.name, read_bytes(path))


def json_object(name: str, content: bytes) -> Mapping[str, Any]:
    """The JSON object that ``content`` is; ``name`` is that of its file."""
    try:
        found = json.loads(content)
    except RecursionError:
        raise damaged(name, "is nested too deep") from None
    except ValueError as error:
        raise damaged(name, f"is no JSON ({str(error)[:100]})") from None
    if not isinstance(found, dict):
        raise damaged(name, "is no JSON object")
    return found
