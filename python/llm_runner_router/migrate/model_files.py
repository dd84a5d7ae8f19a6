"""Model files of old versions lie in ``models/``, those of today in ``models/cache/``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.described_models import described_models
from llm_runner_router.migrate.fields import Field
from llm_runner_router.migrate.model_moves import CACHE, CONFIGS, MODELS, ModelMoves
from llm_runner_router.migrate.model_set import found_sets
from llm_runner_router.migrate.plan import MoveFile, WriteFile
from llm_runner_router.registry.registry_file import VERSION


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What becomes of the model files of a folder; paths are relative to it.

    ``registry`` is the registry document with the models' entries, and ``fields`` tells what was
    added to it. Without moves there is nothing to do, and the registry is as it was.
    """

    moves: Sequence[MoveFile]
    configs: Sequence[WriteFile]
    registry: Mapping[str, Any]
    fields: Sequence[Field] = ()
    notes: Sequence[str] = ()


def model_files(folder: Path, registry: Mapping[str, Any]) -> ModelFiles:
    """What is to be done with the model files of ``folder``; nothing is changed on disk.

    ``registry`` is a document of 1.2, or empty. A model that it has already keeps its id and its
    settings, and gets its new source. What cannot be read, and symbolic links, stay where they are
    and are told. AlreadyExistsError names both files where one would be overwritten,
    InvalidRequestError both models of one id.
    """
    found = found_sets(folder / MODELS)
    links = [path for path in (MODELS, CACHE, CONFIGS) if (folder / path).is_symlink()]
    if links and found.sets:
        note = f"{links[0]} is a symbolic link: the models of {MODELS} stay where they are"
        return ModelFiles((), (), registry, notes=(*found.notes, note))
    moves = ModelMoves(folder, list(registry.get("models") or []))
    for files in found.sets:
        moves.take(files)
    moves.find_missing()
    moves.adopt(described_models(folder, CONFIGS, CACHE))
    notes = (*found.notes, *moves.notes)
    if moves.models == list(registry.get("models") or []):
        return ModelFiles((), (), registry, notes=notes)
    check_folders(folder)
    empty = {"version": VERSION, "models": [], "templates": [], "strategies": {}}
    content = {**(registry or empty), "models": moves.models}
    return ModelFiles(moves.moves, moves.configs, content, moves.fields, notes)


def files_left(folder: Path, registry: Mapping[str, Any], keeper: str) -> ModelFiles:
    """Nothing is done with them: ``keeper``, a registry of the service, may say where they lie."""
    found = found_sets(folder / MODELS)
    note = f"the model files in {MODELS} stay where they are: {keeper} may say that they lie there"
    return ModelFiles((), (), registry, notes=(note,) if found.sets else ())


def check_folders(folder: Path) -> None:
    """InvalidRequestError where a file stands in the way of a folder."""
    for path in (CACHE, CONFIGS):
        if os.path.lexists(folder / path) and not (folder / path).is_dir():
            raise InvalidRequestError(str(path), "a file", "a folder, or nothing")
