"""Models behind Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import Any, Self, cast

import httpx
from anthropic import AsyncAnthropic, AsyncStream, Omit
from anthropic.types import RawMessageStreamEvent

from llm_runner_router.errors import ProviderFailedError
from llm_runner_router.providers.anthropic_errors import reading
from llm_runner_router.providers.anthropic_events import MessageReader
from llm_runner_router.providers.anthropic_pings import PingDecoder
from llm_runner_router.providers.anthropic_request import body_of
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.providers.base import Call, Finished, ProviderEvent
from llm_runner_router.providers.draining import drained
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import known
from llm_runner_router.providers.provider_options import options_of
from llm_runner_router.providers.secrets import key_of
from llm_runner_router.registry.records import ModelRecord

Stream = AsyncStream[RawMessageStreamEvent]
HeaderMap = Mapping[str, str | Omit]


class AnthropicProvider(ApiProvider):
    """One model of one account. Belongs to the event loop of the pool.

    Answers are always streamed, by the official client, which is allowed one attempt: to try again
    is for the router to do.
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
        body = body_of(call.request, self._record.source)
        options = options_of(call.request, self._record)
        reader = MessageReader()
        async with await self._asked(body, options) as stream:
            while (event := await self._next(stream)) is not None:
                found = self._read(reader, event)
                if found and isinstance(found[-1], Finished):
                    await drained(partial(self._next, stream))
                for ours in found:
                    yield ours
        if not reader.finished:
            raise ProviderFailedError(f"{self._name} broke off before the end of its answer")

    async def _asked(self, body: dict[str, Any], options: dict[str, Any]) -> Stream:
        """The stream of an answer, once its headers are here."""
        with reading(self._name, self._key):
            stream: Stream = await self._client.messages.create(
                **body, stream=True, extra_body=options
            )
            return stream

    async def _next(self, stream: Stream) -> RawMessageStreamEvent | None:
        with reading(self._name, self._key):
            return await anext(stream, None)

    def _read(self, reader: MessageReader, event: RawMessageStreamEvent) -> list[ProviderEvent]:
        with reading(self._name, self._key):
            return reader.read(event)


class Client(AsyncAnthropic):
    """The official client without what it takes from the environment.

    Credentials and headers in its variables are meant for Anthropic, and must not reach whatever
    address a record names. Being a subclass keeps it from looking for credentials elsewhere.
    """

    def __init__(self, record: ModelRecord, key: str | None, http: httpx.AsyncClient) -> None:
        endpoint = record.endpoint
        super().__init__(
            api_key=key or "",
            base_url=endpoint.base_url or known(record.provider).base_url,
            max_retries=0,
            http_client=http,
        )
        headers: dict[str, str | Omit] = dict(endpoint.headers)
        if endpoint.api_version is not None:
            headers["anthropic-version"] = endpoint.api_version
        if key is None:
            headers["X-Api-Key"] = Omit()
        # The client's type leaves out Omit, which it looks for in these headers.
        self._custom_headers = cast("dict[str, str]", headers)

    def _make_sse_decoder(self) -> PingDecoder:
        """How its streams are read."""
        return PingDecoder()

    def _validate_headers(self, headers: HeaderMap, custom_headers: HeaderMap) -> None:
        """A server of somebody's own may need no key."""
