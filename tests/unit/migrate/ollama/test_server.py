"""Answers of servers that are not what they should be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from llm_runner_router.errors import RouterError, SourceError, UnavailableError
from llm_runner_router.migrate.ollama import server
from llm_runner_router.migrate.ollama.server import ListedModel, Server

DIGEST = "a" * 64


async def listed(answer: httpx.Response | Exception) -> list[ListedModel]:
    def handle(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        return await Server("http://host", http).models()


async def test_contract_13_the_list_is_an_object() -> None:
    models: list[Any] = [
        {"name": "old:latest", "digest": f"sha256:{DIGEST.upper()}"},
        {"name": "x", "model": "new:7b", "digest": DIGEST, "details": {"family": "llama"}},
        {"name": "odd:latest", "digest": 5},
    ]
    assert await listed(httpx.Response(200, json={"models": models})) == [
        ListedModel("old:latest", DIGEST, None),
        ListedModel("new:7b", DIGEST, {"family": "llama"}),
        ListedModel("odd:latest", "", None),
    ]
    assert await listed(httpx.Response(200, json={"models": []})) == []


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (httpx.Response(200, json=[{"name": "m"}]), SourceError, "a JSON object"),
        (httpx.Response(200, json={"models": {"name": "m"}}), SourceError, "no list of models"),
        (httpx.Response(200, json={}), SourceError, "no list of models"),
        (httpx.Response(200, json={"models": ["m"]}), SourceError, "has no name"),
        (httpx.Response(200, json={"models": [{"name": 5}]}), SourceError, "has no name"),
        (httpx.Response(200, content=b"<html>"), SourceError, "no JSON"),
        (httpx.Response(404, content=b"<html>"), SourceError, "status 404$"),
        (httpx.Response(500, json={"error": "down"}), SourceError, "status 500: 'down'"),
        (httpx.Response(302, headers={"location": "http://other/"}), SourceError, "status 302"),
        (httpx.ConnectError("no"), UnavailableError, "cannot be reached"),
    ],
)
async def test_other_answers(
    answer: httpx.Response | Exception, kind: type[RouterError], match: str
) -> None:
    with pytest.raises(kind, match=match):
        await listed(answer)


class Endless(httpx.AsyncByteStream):
    """An answer that does not end; ``sent`` counts its pieces."""

    sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < 1000:
            self.sent += 1
            yield b"x" * 10


async def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_BYTES", 100)
    endless = Endless()
    with pytest.raises(SourceError, match="more than 100 bytes"):
        await listed(httpx.Response(200, stream=endless))
    assert endless.sent == 11
