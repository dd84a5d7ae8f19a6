"""The model files that lie in a folder, those of a sharded set together."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from llm_runner_router.errors import ModelFileError, shorten
from llm_runner_router.inspection import model_file
from llm_runner_router.migrate.relative_path import is_text
from llm_runner_router.registry.sources.shards import MAX_SHARDS

ENDING = ".gguf"
SHARD = re.compile(r"(.*)-([0-9]{5})-of-([0-9]{5})\.gguf", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """One model: its file, or all of its shards in their order.

    ``names`` are those of the files. ``stem`` is what they share, without ending and number.
    """

    stem: str
    names: tuple[str, ...]

    def named(self, stem: str) -> tuple[str, ...]:
        """The names of the files with another stem, spelled as the engine does."""
        count = len(self.names)
        if SHARD.fullmatch(self.names[0]) is None:
            return (f"{stem}{ENDING}",)
        return tuple(f"{stem}-{n:05}-of-{count:05}{ENDING}" for n in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class FoundSets:
    """The models of a folder, and what was left where it is, with the reasons."""

    sets: Sequence[ModelSet]
    notes: Sequence[str]


def found_sets(folder: Path) -> FoundSets:
    """The models of ``folder``, without those below it, ordered by their names.

    Symbolic links, what is no regular file and sets that are not whole are left out and told.
    """
    sets: list[ModelSet] = []
    faults: dict[str, str] = {name: fault(folder / name) for name in model_names(folder)}
    for (start, count), parts in grouped([name for name in faults if not faults[name]]).items():
        if reason := set_fault(count, parts):
            faults |= {name: reason for names in parts.values() for name in names}
        else:
            stem = start if count else start[: -len(ENDING)]
            sets.append(ModelSet(stem, tuple(parts[number][0] for number in sorted(parts))))
    notes = [left(folder, name, reason) for name, reason in faults.items() if reason]
    return FoundSets(sets, notes)


def set_fault(count: int | None, parts: Mapping[int, Sequence[str]]) -> str:
    """Why files make no model together; empty where they do. ``count`` ``None``: it is one file."""
    if count is None:
        return ""
    if not 1 <= count <= MAX_SHARDS:
        return f"says that it is of a set of {count}; at most {MAX_SHARDS} can be run"
    once = all(len(names) == 1 for names in parts.values())
    whole = once and sorted(parts) == list(range(1, count + 1))
    return "" if whole else f"is of a set of {count} files that is not whole, or has one twice"


def model_names(folder: Path) -> Sequence[str]:
    """The names in a folder that end as those of models do; none where there is no folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names that are no UTF-8 come as they are
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ModelFileError(f"{shorten(str(folder))}: {error.strerror}") from None
    return sorted(name for name in names if is_model(name))


def is_model(name: str) -> bool:
    """Whether a file of that name should be a model; hidden ones are not."""
    return name.lower().endswith(ENDING) and not name.startswith(".")


def fault(path: Path) -> str:
    """Why a file is not touched; empty where it may be."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return "is a symbolic link"
    if not stat.S_ISREG(mode):
        return "is no regular file"
    return "" if is_text(path.name) else "has a name that is no UTF-8"


def left(folder: PurePath, name: str, reason: str) -> str:
    """What is told of a file that stays where it is."""
    return f"{shorten(f'{folder.name}/{name}', 300)} {reason}; it stays where it is"


def grouped(names: Sequence[str]) -> dict[tuple[str, int | None], dict[int, list[str]]]:
    """The files of each model by their numbers; the key is the stem and the number of shards.

    Of a model in one file the whole name stands for the stem.
    """
    groups: dict[tuple[str, int | None], dict[int, list[str]]] = {}
    for name in names:
        shard = SHARD.fullmatch(name)
        key, number = ((shard[1], int(shard[3])), int(shard[2])) if shard else ((name, None), 1)
        groups.setdefault(key, {}).setdefault(number, []).append(name)
    return groups


def read_headers(folder: Path, files: ModelSet) -> model_file.FileContents:
    """What the headers say. RouterError where the engine cannot read them."""
    names = files.named(files.stem)
    if len(names) == 1 or names == files.names:
        return model_file.read_model(folder / files.names[0])
    # The engine knows a set by the spelling of its names alone.
    with TemporaryDirectory() as links:
        for name, own in zip(names, files.names, strict=True):
            (Path(links) / name).symlink_to((folder / own).absolute())
        return model_file.read_model(Path(links) / names[0])
