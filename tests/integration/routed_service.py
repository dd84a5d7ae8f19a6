"""A service on a real socket whose models are providers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.upstreams.server import UpstreamServer
from llm_runner_router.config.sources import load_config
from llm_runner_router.registry.records import (
    Alias,
    AliasTarget,
    Endpoint,
    ModelConfig,
    ModelRecord,
    Pricing,
)
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import ModelFormat


@dataclass
class RoutedService:
    """The parts of a running service, and a client of it."""

    runtime: Runtime
    client: RemoteBackend

    async def alias(self, name: str, models: Sequence[str], **values: Any) -> None:
        targets = [AliasTarget(model) for model in models]
        await self.client.set_alias(Alias(name, targets, **values))


def record_of(name: str, upstream: UpstreamServer, **values: Any) -> ModelRecord:
    """A model of an OpenAI-compatible server, at the server's own prices."""
    return ModelRecord(
        id=name,
        name=name,
        format=ModelFormat.API,
        source=f"{name}-upstream",
        provider="openai-compatible",
        endpoint=Endpoint(base_url=f"http://127.0.0.1:{upstream.port}/v1"),
        config=ModelConfig(temperature=1.0),
        pricing=Pricing(upstream.prices.input, upstream.prices.output),
        **values,
    )


@asynccontextmanager
async def routed(
    upstreams: Mapping[str, UpstreamServer], config: Mapping[str, Any] | None = None
) -> AsyncIterator[RoutedService]:
    """The service with a model for each upstream (which must listen), and an alias of all."""
    loaded = load_config(config or {}, environment={}, folder=Path("/nonexistent"))
    runtime = Runtime(loaded)
    await runtime.initialize()
    server = Server(runtime, ServerOptions(port=0, drain_timeout=5.0))
    await server.start()
    client = RemoteBackend(server.address)
    await client.initialize()
    service = RoutedService(runtime, client)
    try:
        for name, upstream in upstreams.items():
            await client.register_model(record_of(name, upstream))
        await service.alias("all", list(upstreams))
        yield service
    finally:
        await client.close()
        await server.stop()
        await runtime.close()
