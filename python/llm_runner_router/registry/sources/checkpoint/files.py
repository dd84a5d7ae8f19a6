"""Which files of a repository of the hub are a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from llm_runner_router.checkpoints.file_names import (
    CONFIG,
    INDEX,
    MAX_FILES,
    MAX_TEXT_BYTES,
    PICKLED,
    SINGLE,
    SMALL_FILES,
)
from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.hub.choice import HubChoice
from llm_runner_router.registry.sources.hub.files import HubFile, listed
from llm_runner_router.registry.sources.source import HubSource

SHARD = re.compile(r"model-([0-9]{5})-of-([0-9]{5})\.safetensors")


def checkpoint_files(files: Iterable[HubFile], source: HubSource) -> tuple[HubFile, ...]:
    """The files of the checkpoint, its configuration first.

    SourceError says what is missing, and what to do where the weights are pickled only.
    """
    by_name = {file.name: file for file in files}
    if CONFIG not in by_name:
        raise SourceError(f"{source.canonical}: the repository has no {CONFIG}: no checkpoint")
    small = [by_name[name] for name in SMALL_FILES if name in by_name]
    weights = weight_names(by_name, source)
    if INDEX in by_name and SINGLE not in by_name:
        small.append(by_name[INDEX])
    for file in small:
        if file.size > MAX_TEXT_BYTES:
            raise SourceError(
                f"{source.canonical}: {file.name} has more than {MAX_TEXT_BYTES} bytes"
            )
    return (*small, *(by_name[name] for name in weights))


def weight_names(names: Iterable[str], source: HubSource) -> list[str]:
    """One file of weights, or a whole set of them."""
    there = set(names)
    if SINGLE in there:
        return [SINGLE]
    shards = sorted(name for name in there if SHARD.fullmatch(name))
    found = SHARD.fullmatch(shards[0]) if shards else None
    if found is None:
        raise SourceError(f"{source.canonical}: {no_weights(there)}")
    count = int(found[2])
    wanted = [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]
    if count > MAX_FILES or INDEX not in there or shards != wanted:
        shown = listed(sorted({INDEX, *wanted[:MAX_FILES]} - there)) or listed(shards)
        raise SourceError(f"{source.canonical}: the set of weights is not whole; see {shown}")
    return shards


def no_weights(names: set[str]) -> str:
    """What to do where there are no weights in safetensors."""
    pickled = [name for name in PICKLED if name in names]
    if not pickled:
        return f"the repository has no {SINGLE}"
    return (
        f"the repository has pickled weights only ({pickled[0]}), which are never read here: take "
        "a revision with safetensors (@refs/pr/NUMBER), or save them so with save_pretrained"
    )


def may_count(name: str) -> bool:
    """Whether a file may belong to a checkpoint."""
    return name in (*SMALL_FILES, INDEX, SINGLE) or SHARD.fullmatch(name) is not None


def check_anything(path: Path) -> None:
    """Their digests are checked, and what they hold where the checkpoint is read."""
    del path


CHECKPOINT = HubChoice(checkpoint_files, may_count, check_anything)
