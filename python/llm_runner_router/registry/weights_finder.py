"""The file of a model on this machine, wherever its source is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from llm_runner_router.errors import ModelNotPulledError
from llm_runner_router.registry.records import LoadProgress, ModelRecord, PullProgress
from llm_runner_router.registry.sources.file import absolute_path
from llm_runner_router.registry.sources.local import checked_set
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import FileSource, parse_source

LoadListener = Callable[[LoadProgress], None]

DOWNLOAD_SHARE = 0.5
"""Of a load that begins with a download, what the download is taken for."""


class WeightsFinder:
    """Belongs to one event loop. Relative paths start from ``folder``.

    ``auto_download`` says whether what is not here yet may be downloaded for a load.
    """

    def __init__(self, pulls: Pulls, folder: Path, auto_download: Callable[[], bool]) -> None:
        self._pulls = pulls
        self._folder = folder
        self._auto_download = auto_download

    async def find(self, record: ModelRecord) -> Path:
        """The file to load, of a sharded set the first. It is here, and may be read.

        ModelFileError where it may not, ModelNotPulledError where it is not here.
        """
        source = parse_source(record.source)
        if isinstance(source, FileSource):
            path = absolute_path(record.source, self._folder)
            await asyncio.to_thread(checked_set, path)
            return path
        found = await asyncio.to_thread(self._pulls.find, record.source)
        if found is None:
            raise ModelNotPulledError(source.canonical)
        return found.path

    async def bring(self, record: ModelRecord, on_progress: LoadListener) -> tuple[Path, float]:
        """As ``find``, but downloaded where that is allowed; and the share of the load so far."""
        try:
            return await self.find(record), 0.0
        except ModelNotPulledError:
            if not self._auto_download():
                raise

        def report(step: PullProgress) -> None:
            part = step.done_bytes / step.total_bytes if step.total_bytes else 0.0
            on_progress(LoadProgress(step.phase, DOWNLOAD_SHARE * min(1.0, part)))

        pulled = await self._pulls.pull(record.source, report)
        return pulled.path, DOWNLOAD_SHARE
