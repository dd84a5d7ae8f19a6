"""Models of another LLM Runner Router, asked over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property
from typing import Self

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import InvalidRequestError, ProviderFailedError, UnavailableError
from llm_runner_router.preferences import CacheControl, CacheMode, Routing
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import Chunk, Complete, Event, Request, Started, TokenLogprob


class RemoteProvider(ApiProvider):
    """Answers by the service at the record's ``base_url``: ``host:port`` or ``unix:/path``.

    The record's source is the model or alias at that service. Its errors come back as they were
    raised there, and what it charges counts as the cost. Belongs to one event loop.
    """

    def __init__(self, record: ModelRecord) -> None:
        super().__init__(record)
        if not record.endpoint.base_url:
            allowed = "host:port or unix:/path of the other service"
            raise InvalidRequestError("endpoint.base_url", record.endpoint.base_url, allowed)
        self._record = record
        self._address = record.endpoint.base_url
        self._closed = False

    @classmethod
    def open(cls, record: ModelRecord, pool: HttpPool) -> Self:
        """A provider of ``record``; connects with its first request, by gRPC and not by HTTP."""
        del pool
        return cls(record)

    @property
    def usable(self) -> bool:
        """Until it is closed: a service that is away may come back."""
        return not self._closed

    @cached_property
    def _backend(self) -> RemoteBackend:
        """Made where it is first asked, since gRPC ties a channel to the loop that it meets."""
        return RemoteBackend(self._address)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """Answer ``call``; closing the iterator cancels the call at the other service."""
        if self._closed:
            raise UnavailableError("the connection to the other service is closed")
        request = forwarded(call.request, self._record)
        context = CallContext(call.caller, call.deadline)
        reader = EventReader()
        async with aclosing(self._backend.process_stream(request, context)) as events:
            async for event in events:
                for found in reader.read(event):
                    yield found
        if not reader.finished:
            raise ProviderFailedError("the other service ended the answer without its end")

    async def close(self) -> None:
        """Cancel what runs and close the connection."""
        self._closed = True
        backend = self.__dict__.get("_backend")
        if backend is not None:
            await backend.close()


def forwarded(request: Request, record: ModelRecord) -> Request:
    """What the other service is asked. This one has routed and looked into its cache already."""
    return replace(
        request,
        model=record.source or None,
        provider_options={**record.endpoint.options, **request.provider_options},
        routing=Routing(),
        cache=CacheControl(mode=CacheMode.BYPASS),
        template=None,
    )


class EventReader:
    """Makes a provider's events of a router's.

    That the other service has started commits to nothing: it may still fall back, or fail.
    """

    def __init__(self) -> None:
        self._prompt_logprobs: Sequence[TokenLogprob] = ()
        self._accepted = False
        self.finished = False

    def read(self, event: Event) -> list[ProviderEvent]:
        """What ``event`` means; Accepted comes with the first content."""
        if isinstance(event, Started):
            self._prompt_logprobs = event.prompt_logprobs
            return []
        opening = [] if self._accepted else [Accepted(self._prompt_logprobs)]
        self._accepted = True
        return [*opening, self._content(event)]

    def _content(self, event: Chunk | Complete) -> Delta | Finished:
        if isinstance(event, Chunk):
            return Delta(event.text, event.token_ids, event.logprobs, event.tool_calls)
        self.finished = True
        return Finished(event.finish_reason, event.metrics)
