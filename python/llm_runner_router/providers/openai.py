"""Models behind OpenAI's API, be it OpenAI's own or one of the many servers that speak it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Self

import aiohttp

from llm_runner_router.errors import ProviderFailedError, ProviderRejectedError
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.providers.base import Accepted, Call, Delta, Progress, ProviderEvent
from llm_runner_router.providers.draining import drained
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import known
from llm_runner_router.providers.openai_dialect import dialect_of
from llm_runner_router.providers.openai_events import OpenAIAnswer
from llm_runner_router.providers.openai_request import CHAT, COMPLETIONS, body_of, path_of
from llm_runner_router.providers.openai_template import Target, Template, template
from llm_runner_router.providers.rejection import Rejection
from llm_runner_router.providers.secrets import key_of
from llm_runner_router.providers.server_sent_events import EventLines
from llm_runner_router.providers.transport_errors import translated
from llm_runner_router.registry.records import ModelRecord

AZURE = "azure-openai"
MAX_ERROR_BYTES = 65_536


class OpenAIProvider(ApiProvider):
    """One model of one account. The official client says how it is asked; see ``template``.

    Answers are always streamed: so a limit on the time to the first token can be kept, and what was
    delivered is known when an answer breaks off. Belongs to the event loop of the pool.
    """

    def __init__(self, record: ModelRecord, pool: HttpPool, target: Target) -> None:
        super().__init__(record)
        self._pool = pool
        self._target = target
        self._dialect = dialect_of(record.provider)
        self._options = dict(record.endpoint.options)
        azure = record.provider == AZURE
        self._templates = {
            path: template(target, path, azure=azure) for path in (CHAT, COMPLETIONS)
        }

    @classmethod
    def open(cls, record: ModelRecord, pool: HttpPool) -> Self:
        """A provider of ``record``; connects to nothing. ProviderRejectedError: no usable key.

        It may read the file of the key, and prepares the pool, and so blocks.
        """
        provider = known(record.provider)
        base_url = record.endpoint.base_url or provider.base_url
        if base_url is None:
            message = f"provider {record.provider} has no address: set endpoint.base_url"
            raise ProviderRejectedError(message)
        key = key_of(record.endpoint, provider) or ""
        pool.prepare()
        return cls(record, pool, Target(record.source, base_url, key, record.endpoint))

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """See Provider. Closing it closes the connection, which ends the work at the provider."""
        request = call.request
        body = body_of(request, self._target.model, self._dialect, self._options)
        answer, accepted = OpenAIAnswer(self._name, self._target.key), False
        with translated(self._name):
            async with (
                self._asked(self._templates[path_of(request)], body) as response,
                aclosing(self._news(response, answer)) as news,
            ):
                async for event in news:
                    if not accepted and isinstance(event, Delta):
                        accepted = True
                        yield Accepted(metrics=answer.metrics)
                    yield event
        finished = answer.finished()
        if not accepted:
            yield Accepted(metrics=answer.metrics)
        yield finished

    @asynccontextmanager
    async def _asked(
        self, asked: Template, body: dict[str, Any]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to ``body`` with its headers read; the error that its status means."""
        response = await self._pool.aiohttp.post(
            asked.url,
            headers=asked.headers,
            data=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            proxy=asked.proxy,
            allow_redirects=False,
        )
        try:
            if response.status != 200:
                raise await self._rejection(response)
            yield response
        finally:
            response.close()  # the connection too, unless all was read: then it is back in the pool

    async def _rejection(self, response: aiohttp.ClientResponse) -> Exception:
        """What a status other than 200 means."""
        said = bytearray()
        while len(said) <= MAX_ERROR_BYTES and (data := await response.content.readany()):
            said += data
        text = said[:MAX_ERROR_BYTES].decode(errors="replace")
        rejection = Rejection.read(response.status, response.headers, text, self._target.key)
        return rejection.error(self._name)

    async def _news(
        self, response: aiohttp.ClientResponse, answer: OpenAIAnswer
    ) -> AsyncGenerator[Progress | Delta, None]:
        """What comes, all that is waiting in one; the end leaves the connection usable again."""
        lines, content = EventLines(), response.content
        while data := await content.readany():
            found = answer.take(self._events(lines, data))
            for event in found:
                yield event
            if answer.failure is not None:
                raise answer.failure
            if answer.done:
                if not content.at_eof():
                    await drained(lambda: self._next(content))
                return
            if not found and b"\n" in data:  # a comment, or what only some servers send
                yield Progress("")

    async def _next(self, content: aiohttp.StreamReader) -> bytes | None:
        """What follows; ``None`` at the end."""
        with translated(self._name):
            return await content.readany() or None

    def _events(self, lines: EventLines, data: bytes) -> list[bytes]:
        try:
            return lines.feed(data)
        except ValueError:
            raise ProviderFailedError(f"{self._name} sent an event without an end") from None
