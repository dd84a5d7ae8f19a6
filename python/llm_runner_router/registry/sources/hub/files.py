"""Which of the files of a repository are models, and which of these is meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.registry.sources.shards import MAX_SHARDS, SHARD, shard_names
from llm_runner_router.registry.sources.source import HubSource

PREFERRED = (
    *("Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "Q5_K_M", "Q5_K_S", "Q5_0", "Q5_1", "Q6_K", "Q8_0"),
    *("Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "BF16", "F16", "F32"),
)
"""Of several models the first of these, where nothing is said: small without a loss one notices."""

NO_MODEL = re.compile(r"(?<![a-z0-9])(mmproj|imatrix)(?![a-z0-9])")
BAD_NAME = re.compile(r"[\x00-\x1f\x7f\\]")
MAX_SHOWN = 24


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository at one commit.

    ``blob`` is its name in the hub's cache: the sha256 of what Git LFS stores, else git's own sha1.
    """

    name: str
    size: int
    blob: str

    @property
    def sha256(self) -> str | None:
        """In hexadecimal, where the hub tells it."""
        return self.blob if len(self.blob) == 64 else None


def chosen(files: Iterable[HubFile], source: HubSource) -> tuple[HubFile, ...]:
    """The files of the model that ``source`` means, the first shard first.

    SourceError says what there is where that is none of them, or more than one.
    """
    by_name = {file.name: file for file in files if is_weights(file.name)}
    models = [name for name in by_name if is_first(name)]
    name = one_of(models, source)
    folder, slash, base = name.rpartition("/")
    names = [f"{folder}{slash}{shard}" for shard in shard_names(base)]
    missing = [shard for shard in names if shard not in by_name]
    if missing:
        raise SourceError(f"{source.canonical}: the repository lacks {listed(missing)}")
    return tuple(by_name[shard] for shard in names)


def one_of(models: Sequence[str], source: HubSource) -> str:
    """The name of the one model that is meant."""
    if source.file is not None:
        found = [name for name in models if name == source.file]
    elif source.tag is not None:
        found = tagged(models, source.tag)
    else:
        found = list(models) if len(models) == 1 else preferred(models)
    if len(found) == 1:
        return found[0]
    there = f"there are: {listed(models)}" if models else "it has no GGUF file"
    if not found:
        raise SourceError(f"{source.canonical}: the repository has no such model; {there}")
    message = f"{source.canonical}: {len(found)} models are meant: {listed(found)}"
    raise SourceError(f"{message}; name one: hf://{source.repo_id}/FILE")


def tagged(models: Sequence[str], tag: str) -> list[str]:
    """The models with a tag in their name, as a word of its own in whatever case."""
    word = re.escape(tag)
    if tag in ("F16", "FP16", "F32", "FP32"):
        word = f"FP?{tag[-2:]}"
    form = re.compile(rf"(?<![A-Z0-9]){word}(?![A-Z0-9_])", re.IGNORECASE)
    found = [name for name in models if form.search(name)]
    # UD-Q4_K_XL is a quantisation of its own, which is meant only where there is no plain one.
    plain = [name for name in found if f"UD-{tag}" not in name.upper()]
    return plain or found


def preferred(models: Sequence[str]) -> list[str]:
    """The models with the first tag of ``PREFERRED`` that any has; none: all of them."""
    for tag in PREFERRED:
        found = tagged(models, tag)
        if found:
            return found
    return list(models)


def is_weights(name: str) -> bool:
    """Whether a file holds weights of a language model, under a name that is a path below."""
    parts = name.split("/")
    if not name.lower().endswith(".gguf") or NO_MODEL.search(parts[-1].lower()):
        return False
    bad = any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts)
    return not bad and BAD_NAME.search(name) is None


def is_first(name: str) -> bool:
    """Whether a file is a whole model, or the first of a set."""
    shard = SHARD.fullmatch(name)
    return shard is None or (int(shard[2]) == 1 and 1 <= int(shard[3]) <= MAX_SHARDS)


def listed(names: Sequence[str]) -> str:
    """Names for a message, which are hostile and may be many."""
    shown = ", ".join(shorten(name, 200) for name in sorted(names)[:MAX_SHOWN])
    more = len(names) - MAX_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
