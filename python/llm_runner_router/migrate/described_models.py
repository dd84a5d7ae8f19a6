"""Models that the script of the guide has moved: a file in the cache, and one that describes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from llm_runner_router.errors import InvalidConfigError, RouterError
from llm_runner_router.migrate.json_file import read_json
from llm_runner_router.migrate.model_config import SHAPE
from llm_runner_router.migrate.model_path import path_of
from llm_runner_router.migrate.plain_file import read_plain
from llm_runner_router.migrate.registry import check_model
from llm_runner_router.migrate.relative_path import is_text

MAX_FILES = 1000
MAX_FILE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """The entry that a registry may have of a model, and the file that holds it."""

    file: PurePosixPath
    entry: Mapping[str, Any]


def described_models(
    folder: Path, configs: PurePosixPath, cache: PurePosixPath
) -> Iterator[DescribedModel]:
    """What the files in ``configs`` describe, of models whose weights lie in ``cache``.

    What is anything else, cannot be read, or would be refused as a model is nobody's description:
    it is left out.
    """
    for name in islice(json_names(folder / configs), MAX_FILES):
        entry = entry_in(folder, configs / name)
        path = path_of(folder, entry)
        if path is None or not isinstance(entry.get("id"), str) or entry.get("format") != "gguf":
            continue
        if Path(path).parent == Path(os.path.normpath(folder.absolute() / cache)) and is_file(path):
            shape = {key: entry[key] for key in SHAPE if key in entry}
            if is_model(shape):
                yield DescribedModel(configs / name, shape)


def json_names(folder: Path) -> list[str]:
    """The files in a folder that may be descriptions, by name; none where there is no folder."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    names = sorted(file.name for file in folder.iterdir())
    return [name for name in names if name.endswith(".json") and is_text(name)]


def entry_in(folder: Path, path: PurePosixPath) -> Mapping[str, Any]:
    """The object that a file holds; empty where it holds none."""
    try:
        data = read_plain(folder, path, MAX_FILE_BYTES)
        return {} if data is None else read_json(str(path), data, MAX_FILE_BYTES).content
    except InvalidConfigError:
        return {}


def is_model(entry: Mapping[str, Any]) -> bool:
    """Whether a registry takes the entry."""
    try:
        check_model("", entry)
    except RouterError:
        return False
    return True


def is_file(path: str) -> bool:
    """Whether a regular file is there, and no link to one."""
    return Path(path).is_file() and not Path(path).is_symlink()
