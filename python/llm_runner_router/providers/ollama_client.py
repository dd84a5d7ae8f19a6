"""Ollama's official client as the router uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, cast

import httpx
import ollama

from llm_runner_router.providers.known import known
from llm_runner_router.registry.records import ModelRecord

Part = ollama.ChatResponse | ollama.GenerateResponse


class Client(ollama.AsyncClient):
    """The client on connections that are not its own, and without a look at the environment.

    By itself it would open a pool for each model, and take a key that is meant for Ollama to any
    address that a record names.
    """

    def __init__(self, record: ModelRecord, key: str | None, http: httpx.AsyncClient) -> None:
        address = record.endpoint.base_url or known(record.provider).base_url or ""
        self._address = address.rstrip("/")
        self._headers = dict(record.endpoint.headers)
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._client = http

    async def answer(self, body: dict[str, Any]) -> AsyncGenerator[Part, None]:
        """The parts of an answer to ``body``, which is sent as it is.

        The client's own methods would send it through types that drop what they do not know, such
        as the properties of nested objects in the schema of a tool.
        """
        raw = "prompt" in body
        kind = ollama.GenerateResponse if raw else ollama.ChatResponse
        url = f"{self._address}/api/{'generate' if raw else 'chat'}"
        parts = await self._request(
            kind, "POST", url, json=body, headers=self._headers, stream=True
        )
        return cast("AsyncGenerator[Part, None]", parts)
