"""What records and requests may set of Anthropic's API, and at what pace it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from integration.upstreams.anthropic_server import AnthropicServer
from integration.upstreams.faults import drip
from llm_runner_router.errors import (
    InvalidRequestError,
    ProviderRejectedError,
)
from llm_runner_router.providers.anthropic import AnthropicProvider
from llm_runner_router.providers.base import Accepted, Call, Delta, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool
from llm_runner_router.types import ModelFormat, Request

KEY = "sk-ant-a-key-that-nobody-may-see"
HELLO = Call("1", Request(prompt="hello", max_tokens=50))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AnthropicServer]:
    async with AnthropicServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
def endpoint(server: AnthropicServer, tmp_path: Path) -> Endpoint:
    (tmp_path / "key").write_text(KEY)
    return Endpoint(server.address, f"file:{tmp_path}/key")


@pytest.fixture
def provider(endpoint: Endpoint, pool: HttpPool) -> AnthropicProvider:
    return AnthropicProvider.open(record_of(endpoint), pool)


def record_of(endpoint: Endpoint) -> ModelRecord:
    return ModelRecord("c", "c", ModelFormat.API, "claude", provider="anthropic", endpoint=endpoint)


async def told(provider: AnthropicProvider, call: Call = HELLO) -> list[ProviderEvent]:
    return [event async for event in provider.generate(call)]


async def test_fields_of_the_api_pass_through(
    server: AnthropicServer, pool: HttpPool, endpoint: Endpoint
) -> None:
    options: dict[str, Any] = {"service_tier": "auto", "thinking": {"type": "disabled"}}
    endpoint = replace(
        endpoint, options=options, headers={"anthropic-beta": "x"}, api_version="2023-06-01"
    )
    provider = AnthropicProvider.open(record_of(endpoint), pool)
    wanted = ResponseFormat(FormatKind.JSON_SCHEMA, schema='{"type": "object"}')
    request = Request(
        prompt="hi",
        tools=(Tool("now", parameters='{"properties": {"zone": {"x-any": [1]}}}'),),
        response_format=wanted,
        provider_options={"service_tier": "standard_only", "metadata": {"user_id": "u"}},
    )
    await told(provider, Call("1", request))
    (seen,) = server.seen
    assert seen.headers["anthropic-beta"] == "x"
    assert seen.body["service_tier"] == "standard_only"
    assert seen.body["metadata"] == {"user_id": "u"}
    assert seen.body["thinking"] == {"type": "disabled"}
    assert seen.body["output_config"]["format"]["schema"] == {"type": "object"}
    assert seen.body["tools"][0]["input_schema"]["properties"] == {"zone": {"x-any": [1]}}


@pytest.mark.parametrize("name", ["model", "stream"])
async def test_what_is_asked_is_not_for_options_to_change(
    server: AnthropicServer, provider: AnthropicProvider, name: str
) -> None:
    request = Request(prompt="hi", provider_options={name: "other"})
    with pytest.raises(InvalidRequestError, match="provider_options"):
        await told(provider, Call("1", request))
    assert server.seen == []


async def test_nothing_of_the_environment_reaches_an_address_of_the_record(
    server: AnthropicServer, pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", f"X-Own: {KEY}")
    provider = AnthropicProvider.open(record_of(Endpoint(server.address)), pool)
    await told(provider)
    (seen,) = server.seen
    assert KEY not in str(seen.headers)
    assert "X-Api-Key" not in seen.headers


async def test_a_key_that_is_missing_is_named_when_the_model_is_opened(
    pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ProviderRejectedError, match="ANTHROPIC_API_KEY"):
        AnthropicProvider.open(record_of(Endpoint()), pool)


async def test_each_piece_comes_when_it_is_there(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    gate = asyncio.Semaphore(3)  # two pieces come before the first content
    server.inject(drip(gate))
    async with aclosing(provider.generate(HELLO)) as events:
        assert isinstance(await anext(events), Accepted)
        assert await anext(events) == Delta("one")
        gate.release()
        assert await anext(events) == Delta(" two")
