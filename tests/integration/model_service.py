"""A service on a real socket that runs real models, with its parts at hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router import _core
from llm_runner_router.config.sources import load_config
from llm_runner_router.providers.local import LocalProvider
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import ModelFormat


@dataclass
class ModelService:
    """A running server over a runtime of this process."""

    server: Server
    runtime: Runtime

    @property
    def address(self) -> str:
        return self.server.address

    def engine(self, model: str = "tiny") -> _core.Engine:
        """The engine of a model that is in memory."""
        provider = self.runtime._parts.stages.residency.provider(model)
        assert isinstance(provider, LocalProvider)
        return provider._engine

    def stats(self, model: str = "tiny") -> _core.EngineStats:
        return self.engine(model).stats()

    async def register(self, name: str, path: Path) -> None:
        record = ModelRecord(name, name, ModelFormat.GGUF, str(path))
        await self.runtime.register_model(record)


@asynccontextmanager
async def serving(
    models: Mapping[str, Path], config: Mapping[str, Any] | None = None
) -> AsyncIterator[ModelService]:
    """A service on a free port; ``models`` are registered, not loaded. Every answer is computed."""
    values = {"cache": {"enabled": False}, **(config or {})}
    runtime = Runtime(load_config(values, environment={}, folder=Path("/nonexistent")))
    await runtime.initialize()
    server = Server(runtime, ServerOptions(port=0, drain_timeout=30.0))
    await server.start()
    service = ModelService(server, runtime)
    try:
        for name, path in models.items():
            await service.register(name, path)
        yield service
    finally:
        await server.stop()
        await runtime.close()
