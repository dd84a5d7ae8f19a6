"""Whom a model behind OpenAI's API asks, and with which key."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.openai_models import KEY, answer, failure, provider_at, text, upstream
from integration.upstreams.faults import status
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.errors import ProviderRejectedError
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.types import Request

Reached = tuple[OpenAIServer, HttpPool]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest_asyncio.fixture
async def reached() -> AsyncIterator[tuple[OpenAIServer, HttpPool]]:
    async with upstream() as reached:
        yield reached


async def test_the_key_is_seen_by_the_server_alone(
    reached: Reached, caplog: pytest.LogCaptureFixture
) -> None:
    server, pool = reached
    provider = provider_at(server, pool)
    caplog.set_level(logging.DEBUG)
    server.inject(status(401, body=f'{{"error": {{"message": "wrong key {KEY}"}}}}'), status(500))
    said = [(await failure(provider))[1] for _ in range(2)]
    await answer(provider)
    await server.refuse()
    said.append((await failure(provider))[1])
    assert "wrong key …" in said[0].message
    assert KEY not in "".join([*map(repr, said), repr(vars(provider)), caplog.text])


@pytest.mark.parametrize(("name", "usage"), [("vllm", True), ("mistral", False)])
async def test_other_servers_get_no_key_of_openai(
    reached: Reached,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    usage: bool,
) -> None:
    server, pool = reached
    variables = ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY")
    for variable in variables:
        monkeypatch.setenv(f"OPENAI_{variable}", KEY)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"x-more: {KEY}")
    monkeypatch.setenv("MISTRAL_API_KEY", KEY)
    await answer(provider_at(server, pool, name, api_key=None))
    assert KEY not in str(server.seen[0].headers)
    assert "Authorization" not in server.seen[0].headers
    assert ("stream_options" in server.seen[0].body) is usage


async def test_azure_is_asked_in_its_own_way(reached: Reached) -> None:
    server, pool = reached
    provider = provider_at(
        server, pool, "azure-openai", base_url=server.address, api_version="2025-01-01"
    )
    assert text(await answer(provider)) == "one two three"
    (seen,) = server.seen
    path = "/openai/deployments/big-model/chat/completions?api-version=2025-01-01"
    assert seen.path == path
    assert seen.headers["api-key"] == KEY
    with pytest.raises(ProviderRejectedError, match=r"endpoint\.api_key"):
        provider_at(server, pool, "azure-openai", api_key=None)


async def test_headers_and_key_files(reached: Reached, tmp_path: Path) -> None:
    server, pool = reached
    (tmp_path / "key").write_text(f"{KEY}\n")
    provider = provider_at(
        server,
        pool,
        api_key=f"file:{tmp_path / 'key'}",
        organization="org-1",
        headers={"X-Title": "tests"},
        options={"service_tier": "flex", "user": "a"},
    )
    await answer(provider, Request(prompt="x", provider_options={"user": "b"}))
    (seen,) = server.seen
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.headers["openai-organization"] == "org-1"
    assert seen.headers["x-title"] == "tests"
    assert (seen.body["service_tier"], seen.body["user"]) == ("flex", "b")
