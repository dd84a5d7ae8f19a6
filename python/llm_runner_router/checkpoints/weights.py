"""The weights of a checkpoint: ``model.safetensors``, or a set of files with an index.

``model.safetensors.index.json`` is ``{"weight_map": {tensor: file}}``, as Transformers writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.file_names import INDEX, MAX_FILES, PICKLED, SINGLE
from llm_runner_router.checkpoints.safetensors_file import StoredTensor, read_header
from llm_runner_router.checkpoints.text_file import read_object
from llm_runner_router.errors import UnsupportedError

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.safetensors")


def weight_files(folder: Path) -> tuple[str, ...]:
    """The names of the files of weights, sorted; none of them leads out of the folder.

    UnsupportedError where there are only pickled ones, ModelFileError where there are none at all.
    """
    if (folder / SINGLE).exists():
        return (SINGLE,)
    if (folder / INDEX).exists():
        return tuple(sorted(set(weight_map(folder).values())))
    raise no_weights(folder)


def weight_map(folder: Path) -> Mapping[str, str]:
    """The file of each tensor, as the index says it."""
    found = read_object(folder / INDEX).get("weight_map")
    if not isinstance(found, dict) or not found:
        raise damaged(INDEX, "has no weight_map")
    for name in found.values():
        if not isinstance(name, str) or not FILE_NAME.fullmatch(name) or ".." in name:
            raise damaged(INDEX, f"names {str(name)[:100]!r}, which is no file of the folder")
    if len(set(found.values())) > MAX_FILES:
        raise damaged(INDEX, f"names more than {MAX_FILES} files")
    return found


def read_tensors(folder: Path) -> Mapping[str, StoredTensor]:
    """All tensors by their names. ModelFileError where the files and their index disagree."""
    tensors: dict[str, StoredTensor] = {}
    for name in weight_files(folder):
        found = read_header(folder / name)
        twice = sorted(tensors.keys() & found.keys())
        if twice:
            raise damaged(name, f"tensor {twice[0][:200]!r} is in another file too")
        tensors |= found
    if not (folder / SINGLE).exists():
        check_index(weight_map(folder), tensors)
    return tensors


def check_index(index: Mapping[str, str], tensors: Mapping[str, StoredTensor]) -> None:
    """ModelFileError unless each tensor lies where the index says."""
    for name, file in index.items():
        if name not in tensors or tensors[name].file.name != file:
            raise damaged(INDEX, f"tensor {name[:200]!r} is not in {file}")


def no_weights(folder: Path) -> Exception:
    """The error of a folder without safetensors."""
    pickled = [name for name in PICKLED if (folder / name).exists()]
    if pickled:
        how = "model.save_pretrained(FOLDER) of a recent Transformers writes them"
        message = f"checkpoint: {pickled[0]} is pickled, which is never read here"
        return UnsupportedError(f"{message}: save the weights as safetensors ({how})")
    return damaged(SINGLE, f"neither it nor {INDEX} is in the folder {str(folder)[:200]!r}")
