"""Models that lie on this machine already."""

from __future__ import annotations

import asyncio
from pathlib import Path

from llm_runner_router.errors import ModelFileError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.file import checked_file
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.shards import shard_names
from llm_runner_router.registry.sources.source import FileSource


class FileFetcher:
    """See Fetcher: files are used where they lie and never copied. ``folder`` anchors paths."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fetch(self, source: FileSource, on_progress: ProgressListener) -> PulledModel:
        """Nothing is brought. ModelFileError where one of the files cannot be read."""
        path = self._folder / source.path
        size = await asyncio.to_thread(checked_set, path)
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
