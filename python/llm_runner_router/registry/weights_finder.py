"""The files of a model on this machine, wherever its source is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from llm_runner_router.errors import ModelNotPulledError
from llm_runner_router.registry.records import LoadProgress, ModelRecord, PullProgress
from llm_runner_router.registry.sources.checkpoint.source import CheckpointSource, source_of
from llm_runner_router.registry.sources.file import absolute_path
from llm_runner_router.registry.sources.local import checked_set
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import FileSource

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

    async def find(self, record: ModelRecord) -> PulledModel:
        """What to load. It is here, and may be read.

        ModelFileError where it may not, ModelNotPulledError where it is not here.
        """
        source = source_of(record)
        if isinstance(source, FileSource):
            path = absolute_path(record.source, self._folder)
            await asyncio.to_thread(checked_set, path)
            return PulledModel(path, in_place=True)
        found = await asyncio.to_thread(self._pulls.find, source)
        if found is None:
            raise ModelNotPulledError(source.canonical)
        return found

    async def bring(
        self, record: ModelRecord, on_progress: LoadListener
    ) -> tuple[PulledModel, float]:
        """As ``find``, but downloaded where that is allowed; and the share of the load so far.

        A checkpoint of this machine is converted without asking: nothing is downloaded for it.
        """
        source = source_of(record)
        try:
            return await self.find(record), 0.0
        except ModelNotPulledError:
            here = isinstance(source, CheckpointSource) and source.local
            if not (here or self._auto_download()):
                raise
        pulled = await self._pulls.pull(source, Rising(on_progress))
        return pulled, DOWNLOAD_SHARE


class Rising:
    """Tells a pull as the beginning of a load, whose fraction never falls from phase to phase."""

    def __init__(self, on_progress: LoadListener) -> None:
        self._on_progress = on_progress
        self._most = 0.0

    def __call__(self, step: PullProgress) -> None:
        """One step of the pull."""
        part = step.done_bytes / step.total_bytes if step.total_bytes else 0.0
        self._most = max(self._most, min(1.0, part))
        self._on_progress(LoadProgress(step.phase, DOWNLOAD_SHARE * self._most))
