"""Models behind Ollama's own API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, Self

import httpx

from llm_runner_router.errors import ProviderFailedError
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.providers.base import Call, ProviderEvent
from llm_runner_router.providers.draining import drained
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import known
from llm_runner_router.providers.ollama_client import Client, Part
from llm_runner_router.providers.ollama_events import PartReader, reading
from llm_runner_router.providers.ollama_request import body_of
from llm_runner_router.providers.openai_request import extra
from llm_runner_router.providers.secrets import key_of
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Request


class OllamaProvider(ApiProvider):
    """One model of one Ollama server. Belongs to the event loop of the pool.

    Answers are always streamed. The server loads the model when it is first asked, so the first
    token may take long.
    """

    def __init__(self, record: ModelRecord, key: str | None, http: httpx.AsyncClient) -> None:
        super().__init__(record)
        self._record = record
        self._key = key
        self._client = Client(record, key, http)

    @classmethod
    def open(cls, record: ModelRecord, pool: HttpPool) -> Self:
        """A provider of ``record``; connects to nothing. ProviderRejectedError: no usable key.

        It may read the file of the key, and so blocks.
        """
        return cls(record, key_of(record.endpoint, known(record.provider)), pool.httpx)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """See Provider. Closing it closes the connection, which ends the work at the provider."""
        body = self._body_of(call.request)
        reader = PartReader(call.request_id)
        async with aclosing(await self._client.answer(body)) as parts:
            while (part := await self._next(parts)) is not None:
                found = self._read(reader, part)
                if reader.finished:
                    await drained(partial(self._next, parts))
                for event in found:
                    yield event
        if not reader.finished:
            raise ProviderFailedError(f"{self._name} broke off before the end of its answer")

    def _body_of(self, request: Request) -> dict[str, Any]:
        own = extra("endpoint.options", self._record.endpoint.options)
        callers = extra("provider_options", request.provider_options)
        return body_of(request, self._record, own, callers)

    async def _next(self, parts: AsyncGenerator[Part, None]) -> Part | None:
        with reading(self._name, self._key):
            return await anext(parts, None)

    def _read(self, reader: PartReader, part: Part) -> list[ProviderEvent]:
        with reading(self._name, self._key):
            return reader.read(part)
