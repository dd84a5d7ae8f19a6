"""Collects what becomes of the model files of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from llm_runner_router.errors import AlreadyExistsError, InvalidRequestError, RouterError, shorten
from llm_runner_router.inspection.trained_context import context_of, trained_context
from llm_runner_router.migrate.described_models import DescribedModel
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import leaf_paths
from llm_runner_router.migrate.model_config import config_bytes, new_entry
from llm_runner_router.migrate.model_contexts import fitted
from llm_runner_router.migrate.model_names import config_name, id_of, source_of, target_stem
from llm_runner_router.migrate.model_path import path_of
from llm_runner_router.migrate.model_set import ModelSet, left, read_headers
from llm_runner_router.migrate.plan import MoveFile, WriteFile

MODELS = PurePosixPath("models")
CACHE = MODELS / "cache"
CONFIGS = MODELS / "configs"

NOT_RUN = "the model is listed, and cannot be run before it is there"


@dataclass(slots=True)
class ModelMoves:
    """The moves so far, and the registry's models as they will be. Changes nothing on disk."""

    folder: Path
    models: list[Any]
    moves: list[MoveFile] = field(default_factory=list)
    configs: list[WriteFile] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, files: ModelSet) -> None:
        """Move a model, and let the registry know where it is.

        AlreadyExistsError names both files where one would be overwritten, InvalidRequestError
        both models of one id.
        """
        try:
            contents = read_headers(self.folder / MODELS, files)
        except RouterError as error:
            reason = f"cannot be read ({error.message})"
            self.notes += [left(MODELS, name, reason) for name in files.names]
            return
        source = self._move(files)
        context = context_of(contents)
        owners = self._owners(files)
        for index in owners:
            self._point(index, source, context)
        if not owners:
            owners = [self._register(files, source, context)]
        for index in owners:
            self._configure(self.models[index], context)

    def _move(self, files: ModelSet) -> str:
        """Move all files of a model, and give its source."""
        stem = target_stem(files.stem)
        targets = [CACHE / name for name in files.named(stem)]
        for name, target in zip(files.names, targets, strict=True):
            self._check_free(MODELS / name, target)
            self.moves.append(MoveFile(MODELS / name, target))
        if stem != files.stem:
            self.notes.append(f"{shorten(files.stem)} is called {stem} now: no source can say it")
        return source_of(targets[0])

    def _check_free(self, path: PurePosixPath, target: PurePosixPath) -> None:
        """Nothing is overwritten: neither what is there, nor what is moved there."""
        other = next((move.path for move in self.moves if move.target == target), None)
        if other is not None or os.path.lexists(self.folder / target):
            rival = f"{shorten(str(other), 300)} would be, too" if other else "where a file is"
            message = f"{shorten(str(path), 300)} would be moved to {shorten(str(target), 300)}"
            raise AlreadyExistsError(f"{message}, {rival}: rename or remove one of them")

    def _owners(self, files: ModelSet) -> list[int]:
        """The places of the models that the registry has of these files.

        Those, too, whose file is missing and has their name: the folder may have been another one,
        or what paths started from, or the path is one of Windows. Of a missing file elsewhere that
        can only be said where no model names these files here.
        """
        paths = [path_of(self.folder, entry) for entry in self.models]
        own = {self._whole(MODELS / name) for name in files.names}
        found = [
            index
            for index, path in enumerate(paths)
            if path in own or (path and file_name(path) in files.names and is_missing(path))
        ]
        here = [index for index in found if self._is_here(paths[index] or "")]
        return here or found

    def _whole(self, path: PurePosixPath) -> str:
        """A path of the folder from the root."""
        return os.path.normpath(self.folder.absolute() / path)

    def _is_here(self, path: str) -> bool:
        """Whether a path leads to a file in MODELS, starting from the folder or from MODELS."""
        name = file_name(path)
        return path.replace("\\", "/") in {
            self._whole(MODELS / name),
            self._whole(PurePosixPath(name)),
        }

    def find_missing(self) -> None:
        """Point each model whose file is not there to one of its name in CACHE, or tell of it.

        A missing file elsewhere is not one that another model names.
        """
        coming = {self._whole(move.target) for move in self.moves}
        named = {path_of(self.folder, entry) for entry in self.models}
        for index, entry in enumerate(self.models):
            path = path_of(self.folder, entry)
            is_file = isinstance(entry, Mapping) and entry.get("format") == "gguf"
            if not path or not is_file or path in coming or not is_missing(path):
                continue
            moved = CACHE / file_name(path)
            if self._whole(moved) in named and not self._is_here(path):
                self._tell_missing(index)
                continue
            if (self.folder / moved).is_file():
                self._point(index, source_of(moved), trained_context(self.folder / moved))
            else:
                self._tell_missing(index)

    def _tell_missing(self, index: int) -> None:
        """Note that a model cannot be run yet."""
        place = shorten(self.models[index]["source"], 300)
        self.notes.append(f"models[{index}].source: no file is at {place}: {NOT_RUN}")

    def adopt(self, described: Iterable[DescribedModel]) -> None:
        """Let the registry have what describes files that have been moved already."""
        ids = {entry.get("id") for entry in self.models if isinstance(entry, Mapping)}
        known = {path_of(self.folder, entry) for entry in self.models}
        for one in described:
            path = path_of(self.folder, one.entry)
            if path is None or path in known or one.entry["id"] in ids:
                continue
            where = f"models[{len(self.models)}]"
            entry, notes = fitted(where, one.entry, trained_context(Path(path)))
            self.models.append(entry)
            note = f"from {one.file}"
            self.fields += [Field("", Fate.ADDED, leaf, note) for leaf in leaf_paths(entry, where)]
            self.notes += [f"{where} is made of {one.file}", *notes]
            known.add(path)
            ids.add(entry["id"])

    def _point(self, index: int, source: str, context: int | None) -> None:
        """Let a model that is known have its new source, and all else as the file allows it."""
        where = f"models[{index}]"
        self.notes.append(f"{where}.source is {source} now")
        entry = {**self.models[index], "source": source}
        self.models[index], notes = fitted(where, entry, context)
        self.notes += notes

    def _register(self, files: ModelSet, source: str, context: int | None) -> int:
        """Give a model that the registry lacks an entry; where that stands."""
        entry = new_entry(id_of(files.stem), target_stem(files.stem), source, context)
        for index, other in enumerate(self.models):
            if isinstance(other, Mapping) and other.get("id") == entry["id"]:
                allowed = f"an id that no other model has; models[{index}] of the registry has it"
                raise InvalidRequestError(str(MODELS / files.names[0]), entry["id"], allowed)
        index = len(self.models)
        self.models.append(entry)
        note = f"from {shorten(str(MODELS / files.names[0]), 300)}"
        paths = leaf_paths(entry, f"models[{index}]")
        self.fields += [Field("", Fate.ADDED, path, note) for path in paths]
        if context is None:
            self.notes.append(f"{MODELS}/{files.names[0]!r} does not say its context")
        return index

    def _configure(self, entry: Mapping[str, Any], context: int | None) -> None:
        """Write a model's configuration, unless a file is there."""
        path = CONFIGS / config_name(str(entry["id"]))
        if os.path.lexists(self.folder / path):
            self.notes.append(f"{path} is there already and stays as it is")
            return
        self.configs.append(WriteFile(path, None, config_bytes(entry, context)))


def is_missing(path: str) -> bool:
    """Whether nothing is there, not even a link that leads nowhere."""
    return not os.path.lexists(path)


def file_name(path: str) -> str:
    """The last part of a path, which may be one of Windows."""
    return PurePosixPath(path.replace("\\", "/")).name
