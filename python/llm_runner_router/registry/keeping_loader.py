"""A loader whose downloads leave in the records what came with the weights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.memory.loading import ModelLoader
from llm_runner_router.registry.memory.resident import ProgressListener
from llm_runner_router.registry.records import MemoryEstimate, ModelRecord


class KeepingLoader:
    """See ModelLoader. ``keep`` is told of each record that ``loader`` has brought the files of.

    It gives the record as it is from then on.
    """

    def __init__(
        self, loader: ModelLoader, keep: Callable[[ModelRecord], Awaitable[ModelRecord]]
    ) -> None:
        self._loader = loader
        self._keep = keep

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        """See ModelLoader."""
        return await self._loader.estimate(record)

    async def fetch(self, record: ModelRecord, on_progress: ProgressListener) -> ModelRecord:
        """See ModelLoader."""
        return await self._keep(await self._loader.fetch(record, on_progress))

    async def load(self, record: ModelRecord, on_progress: ProgressListener) -> Provider:
        """See ModelLoader."""
        return await self._loader.load(record, on_progress)
