"""Models behind a server of OpenAI's API on loopback, and what they answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.errors import RouterError
from llm_runner_router.providers.base import Call, Delta, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.openai import OpenAIProvider
from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat, Request

KEY = "sk-a-key-that-nobody-may-see"
HELLO = Request(prompt="hello")


def provider_at(
    server: OpenAIServer, pool: HttpPool, name: str = "openai", **endpoint: Any
) -> OpenAIProvider:
    given = {"base_url": f"{server.address}/v1", "api_key": "env:TEST_KEY", **endpoint}
    record = ModelRecord(
        id="m",
        name="m",
        format=ModelFormat.API,
        source="big-model",
        config=ModelConfig(context_length=8192),
        provider=name,
        endpoint=Endpoint(**given),
    )
    return OpenAIProvider.open(record, pool)


async def answer(provider: OpenAIProvider, request: Request = HELLO) -> list[ProviderEvent]:
    return [event async for event in provider.generate(Call("id", request))]


async def failure(provider: OpenAIProvider) -> tuple[list[ProviderEvent], RouterError]:
    """What comes before the error, and the error."""
    events: list[ProviderEvent] = []
    try:
        async for event in provider.generate(Call("id", HELLO)):
            events.append(event)  # noqa: PERF401 - the events before the error are wanted
    except RouterError as error:
        return events, error
    pytest.fail(f"no error after {events}")


def text(events: list[ProviderEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


@asynccontextmanager
async def upstream() -> AsyncIterator[tuple[OpenAIServer, HttpPool]]:
    """A server and the connections to it."""
    async with OpenAIServer().running() as server:
        pool = HttpPool()
        try:
            yield server, pool
        finally:
            await pool.close()
