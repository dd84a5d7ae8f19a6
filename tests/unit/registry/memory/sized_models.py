"""Models of known sizes that load and leave in virtual time, and an account of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from llm_runner_router.errors import ModelNotFoundError, RouterError
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.memory.residency import Residency, ResidencyLimits
from llm_runner_router.registry.records import (
    LoadProgress,
    MemoryEstimate,
    ModelLimits,
    ModelRecord,
)
from llm_runner_router.types import ModelFormat
from unit.virtual_time import leftovers

LOAD_SECONDS, CLOSE_SECONDS = 0.5, 0.25


class SizedProvider(EchoProvider):
    """Takes memory until it is closed, which needs a while."""

    def __init__(self, free: Callable[[], None], memory: MemoryEstimate | None) -> None:
        super().__init__()
        self.memory = memory
        self._free = free

    async def close(self) -> None:
        await asyncio.sleep(CLOSE_SECONDS)
        if not self.closed:
            self._free()
        await super().close()


class SizedLoader:
    """Loads ``sizes``; the model takes what ``actual`` says in fact.

    ``failures`` are raised by loads to come, one each, ``None`` for a load that goes well.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = dict(sizes)
        self.actual: dict[str, int] = {}
        self.failures: list[RouterError | None] = []
        self.loads: list[str] = []
        self.seconds = LOAD_SECONDS
        self.used = 0
        self.most = 0

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        await asyncio.sleep(0)
        return MemoryEstimate(weights=self.sizes[record.id])

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        self.loads.append(record.id)
        size = self.actual.get(record.id, self.sizes[record.id])
        self._take(size)
        try:
            for step in range(2):
                on_progress(LoadProgress("model", step / 2))
                await asyncio.sleep(self.seconds / 2)
            failure = self.failures.pop(0) if self.failures else None
            if failure is not None:
                raise failure
        except (asyncio.CancelledError, RouterError):
            await asyncio.sleep(CLOSE_SECONDS)  # a real one waits for its threads
            self._take(-size)
            raise
        memory = MemoryEstimate(weights=size) if record.id in self.actual else None
        return SizedProvider(lambda: self._take(-size), memory)

    def _take(self, size: int) -> None:
        self.used += size
        self.most = max(self.most, self.used)


class Request:
    """A request that runs on a model until it is let go, or as long as it takes."""

    def __init__(self, residency: Residency, model: str) -> None:
        self.began = asyncio.Event()
        self.done = asyncio.Event()
        self.task = asyncio.ensure_future(self._run(residency, model))

    async def _run(self, residency: Residency, model: str) -> None:
        async with residency.lease(model):
            self.began.set()
            await self.done.wait()

    async def end(self) -> None:
        """Let it go."""
        self.done.set()
        await self.task


class Machine:
    """A residency over models of known sizes, with ``limit`` bytes for them."""

    def __init__(self, limit: int = 100, idle_timeout: float = 0.0, **sizes: int) -> None:
        self.limit = limit
        self.idle_timeout = idle_timeout
        self.loader = SizedLoader(sizes)
        self.records = {
            name: ModelRecord(name, "", ModelFormat.GGUF, f"{name}.gguf") for name in sizes
        }
        limits = ResidencyLimits(lambda: self.limit, lambda: self.idle_timeout)
        self.residency = Residency(self.loader, self.find, limits)

    def find(self, model: str) -> ModelRecord:
        if model not in self.records:
            raise ModelNotFoundError(model)
        return self.records[model]

    def configure(self, model: str, **values: Any) -> None:
        """Change the record as an update does."""
        config = replace(self.records[model].config, **values)
        self.records[model] = replace(self.records[model], config=config)
        self.residency.refresh()

    def limit_requests(self, model: str, most: int | None) -> None:
        self.records[model] = replace(self.records[model], limits=ModelLimits(most))
        self.residency.refresh()

    async def load(self, *models: str) -> None:
        for model in models:
            await self.residency.load(model)

    async def request(self, model: str) -> Request:
        """A request that runs."""
        request = Request(self.residency, model)
        await request.began.wait()
        return request

    def loaded(self) -> list[str]:
        return self.residency.loaded_models()

    async def close(self) -> None:
        """Close it, and see to it that nothing is left."""
        await self.residency.close()
        assert self.residency.memory().used == self.loader.used == 0
        assert self.residency._room.waiting == 0
        assert len(self.residency._slots) == 0
        assert self.residency._residents == {}
        assert leftovers() == ([], [])
