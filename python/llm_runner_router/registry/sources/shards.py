"""Models in several files: ``name-00001-of-00003.gguf`` and so on, spelled as the engine does."""

from __future__ import annotations

import re

from llm_runner_router.registry.sources.wrong_source import wrong_source

SHARD = re.compile(r"(.*)-([0-9]{5})-of-([0-9]{5})(\.gguf)", re.DOTALL)
MAX_SHARDS = 256
"""What the engine opens at most."""


def shard_names(name: str) -> tuple[str, ...]:
    """The names of all files of a set by that of its first; of a single file its own name."""
    shard = SHARD.fullmatch(name)
    if shard is None:
        return (name,)
    start, _, count, end = shard.groups()
    return tuple(f"{start}-{index:05}-of-{count}{end}" for index in range(1, int(count) + 1))


def check_first_shard(name: str, source: str) -> None:
    """A set is named by its first file, and has a bounded number of them."""
    shard = SHARD.fullmatch(name)
    if shard is None:
        return
    if int(shard[2]) != 1 or not 1 <= int(shard[3]) <= MAX_SHARDS:
        allowed = f"the first file of a set, -00001-of-0000N.gguf, of at most {MAX_SHARDS}"
        raise wrong_source(source, allowed)


def stem(name: str) -> str:
    """A file's name without its ending and its place in a set."""
    shard = SHARD.fullmatch(name)
    if shard is not None:
        return shard[1]
    return name[: -len(".gguf")] if name.lower().endswith(".gguf") else name
