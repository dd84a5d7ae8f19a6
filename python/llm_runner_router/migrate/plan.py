"""What a migration is going to do to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llm_runner_router.migrate.fields import Field


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file that gets new content, all of it at once.

    ``path`` is relative to the folder. ``before`` is the content that the plan was made from,
    ``None`` where there was no file: the plan holds only while that is so. An existing file keeps
    its mode.
    """

    path: PurePosixPath
    before: bytes | None
    after: bytes
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class MoveFile:
    """A file that gets another place below the folder and keeps its content. Never overwrites."""

    path: PurePosixPath
    target: PurePosixPath


Change = WriteFile | MoveFile


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a folder, in the order they are told in.

    ``source`` is the version that was found or given, such as ``1.0``; ``notes`` say what the user
    has to do by hand. ``config`` is the configuration file as it will be, ``registry`` the registry
    file, and ``database`` the registry of the service that is made of it where there is none yet;
    all relative to the folder. Without changes there is nothing to do.
    """

    folder: Path
    source: str
    changes: Sequence[Change]
    notes: Sequence[str] = ()
    config: PurePosixPath | None = None
    registry: PurePosixPath | None = None
    database: PurePosixPath | None = None
