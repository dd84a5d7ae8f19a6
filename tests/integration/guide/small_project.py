"""Folders with no more in them than what a test is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from integration.guide.command_line import done, refused
from integration.guide.projects import read_json, state


def folder_with(place: Path, files: Mapping[str, Any]) -> Path:
    """A folder with these files; what is no text becomes JSON."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return place


def migrated(folder: Path, *part: str) -> Any:
    """What the migration of a folder, or of one part of it, has told."""
    return done("migrate", *part, folder, "--yes", "--json").json


def migrated_json(place: Path, name: str, content: Any, *part: str) -> tuple[Any, Any]:
    """A file after the migration of the folder that holds nothing else, and what was told."""
    folder = folder_with(place, {name: content})
    report = migrated(folder, *part)
    return read_json(folder / name), report


def migrated_models(place: Path, *models: Any) -> tuple[list[Any], Any]:
    """The models of a registry after its migration, and the whole file."""
    found, _ = migrated_json(place, "models/registry.json", {"models": models}, "registry")
    return found["models"], found


def refused_models(place: Path, *models: Any) -> str:
    """Why a registry is not migrated; it stays as it is."""
    folder = folder_with(place, {"models/registry.json": {"models": models}})
    before = state(folder)
    said = refused("migrate", "registry", folder, "--yes").said
    assert state(folder) == before
    return said


def fields(report: Any) -> dict[str, Any]:
    """What became of each value of the input, by its place there."""
    writes = [change for change in report["changes"] if change["kind"] == "write"]
    return {one["path"]: one for change in writes for one in change["fields"] if one["path"]}
