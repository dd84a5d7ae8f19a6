"""Runtimes over echo providers, and small helpers for asynchronous tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import RouterError
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.echo import EchoBehaviour, EchoProvider
from llm_runner_router.registry.records import LoadProgress, MemoryEstimate, ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat

T = TypeVar("T")


class EchoLoader:
    """Loads echo providers; ``gate`` holds loads back, ``failure`` lets them fail."""

    def __init__(self, behaviour: EchoBehaviour | None = None) -> None:
        self.behaviour = behaviour
        self.gate: asyncio.Event | None = None
        self.failure: RouterError | None = None
        self.chunk_gate: asyncio.Semaphore | None = None
        self.loads = 0
        self.cancelled = 0
        self.providers: dict[str, EchoProvider] = {}

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        del record
        return None

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        self.loads += 1
        on_progress(LoadProgress("reading", 0.0))
        try:
            if self.gate is not None:
                await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        on_progress(LoadProgress("reading", 1.0))
        provider = EchoProvider(self.behaviour, self.chunk_gate)
        self.providers[record.id] = provider
        return provider


def model(name: str = "m", source: str = "m.gguf", **values: Any) -> ModelRecord:
    return ModelRecord(id=name, name="", format=ModelFormat.GGUF, source=source, **values)


@asynccontextmanager
async def echo_runtime(
    config: Mapping[str, Any] | None = None,
    loader: EchoLoader | None = None,
    models: tuple[str, ...] = ("m",),
) -> AsyncIterator[Runtime]:
    """A runtime in memory with some registered models."""
    loaded = load_config(config or {}, environment={}, folder=Path("/nowhere"))
    runtime = Runtime(loaded, loader or EchoLoader())
    await runtime.initialize()
    try:
        for name in models:
            await runtime.register_model(model(name))
        yield runtime
    finally:
        await runtime.close()


async def collect(items: AsyncGenerator[T, None]) -> list[T]:
    return [item async for item in items]


async def until(true: Callable[[], bool]) -> None:
    """Let everything else run until ``true``; the test's own time limit ends a mistake."""
    while not true():  # noqa: ASYNC110 - any condition, not only events
        await asyncio.sleep(0)


async def settle() -> None:
    """Let everything run that can run without time or input."""
    for _ in range(50):
        await asyncio.sleep(0)


async def leap(until: float) -> None:
    """Let the loop's clock leap, once nothing can run without time: timers due by then fire."""
    await settle()
    loop = asyncio.get_running_loop()
    time = loop.time
    seconds = until - time()
    loop.time = lambda: time() + seconds  # type: ignore[method-assign]
