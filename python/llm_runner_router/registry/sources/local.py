"""Models that lie on this machine already."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llm_runner_router.errors import ModelFileError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.file import checked_file, unreadable
from llm_runner_router.registry.sources.gguf_magic import MAGIC
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.shards import shard_names
from llm_runner_router.registry.sources.source import FileSource


class FileFetcher:
    """See Fetcher: files are used where they lie and never copied. ``folder`` anchors paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fetch(self, source: FileSource, on_progress: ProgressListener) -> PulledModel:
        """Nothing is brought. ModelFileError where a file cannot be read, or is no GGUF file."""
        path = self._folder / source.path
        size = await asyncio.to_thread(checked_set, path)
        await asyncio.to_thread(check_weights, path)
        on_progress(PullProgress("verifying", path.name, size, size))
        return PulledModel(path, in_place=True)

    def find(self, source: FileSource) -> PulledModel | None:
        """All files of it, or nothing."""
        path = self._folder / source.path
        try:
            checked_set(path)
        except ModelFileError:
            return None
        return PulledModel(path, in_place=True)


def checked_set(path: Path) -> int:
    """The bytes of all files of a set by its first; ModelFileError where one cannot be read."""
    return sum(checked_file(path.with_name(name)) for name in shard_names(path.name))


def check_weights(path: Path) -> None:
    """ModelFileError unless the file begins as GGUF files do. What else it holds is not told."""
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise unreadable(path, error.strerror or "cannot be read") from None
    if start != MAGIC:
        raise unreadable(path, "is no GGUF file")
