"""Projects of older versions as people have them, and what they become: ``projects/<name>``.

``before`` is what somebody has, ``after`` was written by hand from the tables of the migration
guide. Model files are made here: their content is nobody's to write by hand.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unit import tiny_model

PROJECTS = Path(__file__).with_name("projects")
CONFIGURATION = Path(__file__).with_name("configuration.json")
"""The guide's page on the structure of the file: the same settings in the old form and the new."""

BACKUPS = "migration-backup"
DATABASE = "models/registry.sqlite"

MODEL_FILES = {
    "models/model.gguf": "models/cache/model.gguf",
    "models/support chat.GGUF": "models/cache/support chat.gguf",
    "models/desk's own.gguf": "models/cache/desk's own.gguf",
    "models/archive-00001-of-00002.gguf": "models/cache/archive-00001-of-00002.gguf",
    "models/archive-00002-of-00002.gguf": "models/cache/archive-00002-of-00002.gguf",
}
"""Those of ``v1_0``, and where they belong in 1.2."""

MODES = {".env": 0o600, "models/model.gguf": 0o444, "config.json": 0o640}
"""What others than the owner may not do is a part of what must come back."""


@dataclass(frozen=True)
class Entry:
    """A file or a folder as it lies on the disk; folders hold no bytes."""

    mode: int
    content: bytes | None


@dataclass(frozen=True)
class Migrated:
    """The project of v1.0 after ``llm-router migrate``, and what that has told."""

    folder: Path
    before: Mapping[str, Entry]
    after: Mapping[str, Entry]
    report: Any


def project(name: str, place: Path) -> Path:
    """A fresh copy of what somebody has."""
    folder = shutil.copytree(PROJECTS / name / "before", place)
    for path, mode in MODES.items():
        if (folder / path).exists():
            (folder / path).chmod(mode)
    return folder


def project_of_v1_0(place: Path) -> Path:
    """The project of v1.0 with its model files."""
    folder = project("v1_0", place)
    models = folder / "models"
    tiny_model.write(models / "model.gguf", scale=1000.0).chmod(MODES["models/model.gguf"])
    tiny_model.write(models / "support chat.GGUF", seed=2, scale=1000.0)
    tiny_model.write(models / "desk's own.gguf", seed=3, context=64)
    tiny_model.write(models / "archive.gguf", seed=4, context=512, shard_tensors=11)
    return folder


def state(folder: Path) -> dict[str, Entry]:
    """All that a folder holds, without its backups."""
    paths = [path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != BACKUPS]
    return {str(path.relative_to(folder)): entry(path) for path in paths}


def entry(path: Path) -> Entry:
    return Entry(stat.S_IMODE(path.lstat().st_mode), path.read_bytes() if path.is_file() else None)


def expected(name: str) -> Mapping[str, bytes]:
    """The files that there are afterwards, without those of models and their database."""
    after = PROJECTS / name / "after"
    files = [path for path in after.rglob("*") if path.is_file()]
    return {str(path.relative_to(after)): path.read_bytes() for path in files}


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def expected_json(name: str, path: str) -> Any:
    return read_json(PROJECTS / name / "after" / path)
