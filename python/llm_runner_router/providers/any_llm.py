"""Models of the providers that the library any-llm reaches, which an extra installs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

try:
    from any_llm import AnyLLM
    from any_llm.exceptions import UnsupportedParameterError
    from any_llm.types.completion import ChatCompletionChunk
    from any_llm.utils.aio import aclose_quietly
except ImportError as missing:
    raise ImportError("any-llm-sdk; install llm-runner-router[any-llm]") from missing

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.providers.any_llm_errors import reading
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.providers.base import Accepted, Call, Delta, Progress, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import ANY_LLM_PREFIX, known
from llm_runner_router.providers.openai_dialect import PLAIN
from llm_runner_router.providers.openai_events import OpenAIAnswer
from llm_runner_router.providers.openai_request import body_of, extra
from llm_runner_router.providers.request_limits import refuse
from llm_runner_router.providers.secrets import key_of
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Request

NO_KEY = "none"
"""Keeps the library from sending a key out of the environment to whatever address a record names"""


class AnyLlmProvider(ApiProvider):
    """One model of one account, whose chunks any-llm turns into OpenAI's. One event loop's.

    The clients below have connections of their own.
    """

    def __init__(self, record: ModelRecord, key: str | None, client: AnyLLM) -> None:
        super().__init__(record)
        self._record = record
        self._key = key
        self._client = client

    @classmethod
    def open(cls, record: ModelRecord, pool: HttpPool) -> Self:
        """A provider of ``record``; connects to nothing. ProviderRejectedError: no usable key.

        UnsupportedError where the library lacks a package that this provider needs. It imports
        that, and may read the file of the key, and so blocks.
        """
        del pool
        key = key_of(record.endpoint, known(record.provider))
        with reading(record.provider, key):
            return cls(record, key, client_of(record, key))

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """See Provider. Closing it closes the connection, which ends the work at the provider."""
        body = self._body_of(call.request)
        answer, accepted = OpenAIAnswer(self._name, self._key), False
        async with self._asked(body) as chunks:
            while (found := await self._next(chunks, answer)) is not None:
                for event in found:
                    if not accepted and isinstance(event, Delta):
                        accepted = True
                        yield Accepted(metrics=answer.metrics)
                    yield event
        finished = answer.finished()
        if not accepted:
            yield Accepted(metrics=answer.metrics)
        yield finished

    def _body_of(self, request: Request) -> dict[str, Any]:
        """The arguments of a completion: OpenAI's fields, as the library has them too."""
        refuse(request, ("raw",), "any-llm")
        options = dict(self._record.endpoint.options)
        for name, fields in (("endpoint", options), ("request", request.provider_options)):
            inner = fields.get("extra_body")
            if isinstance(inner, Mapping):
                extra(f"extra_body of the {name}", inner)
        return body_of(request, self._record.source, PLAIN, options)

    @asynccontextmanager
    async def _asked(self, body: dict[str, Any]) -> AsyncIterator[AsyncIterator[Any]]:
        with reading(self._name, self._key):
            chunks: Any = await self._client.acompletion(**body)
        try:
            yield chunks
        finally:
            await aclose_quietly(chunks)

    async def _next(
        self, chunks: AsyncIterator[ChatCompletionChunk], answer: OpenAIAnswer
    ) -> list[Progress | Delta] | None:
        """The next pieces of the answer; ``None`` at the end."""
        with reading(self._name, self._key):
            async for chunk in chunks:
                data = chunk.model_dump_json(exclude_none=True, warnings=False)
                found = answer.take([data.encode()])
                if found:
                    return found
        return None

    async def close(self) -> None:
        """Close the connections of the client below, as far as it tells how."""
        await aclose_quietly(getattr(self._client, "client", None))


def client_of(record: ModelRecord, key: str | None) -> AnyLLM:
    """The library's client of a provider, which tries once where it can be told to."""
    endpoint = record.endpoint
    if key is None and endpoint.base_url is not None:
        key = NO_KEY
    settings: dict[str, Any] = {"unified_exceptions": True}
    if endpoint.headers:
        settings["default_headers"] = dict(endpoint.headers)
    name = record.provider.removeprefix(ANY_LLM_PREFIX)
    try:
        try:
            return AnyLLM.create(name, key, endpoint.base_url, max_retries=0, **settings)
        except UnsupportedParameterError:
            return AnyLLM.create(name, key, endpoint.base_url, **settings)
    except ImportError:
        message = f"provider {record.provider} needs a package: install any-llm-sdk[{name}]"
        raise UnsupportedError(message) from None
