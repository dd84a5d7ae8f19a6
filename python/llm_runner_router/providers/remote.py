"""Models of another LLM Runner Router, asked over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import InvalidRequestError, ProviderFailedError, UnsupportedError
from llm_runner_router.preferences import CacheControl, CacheMode, Routing
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.registry.records import ModelDetails, ModelRecord
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import Chunk, Complete, Event, Request, Started, TokenLogprob


class RemoteProvider:
    """Answers by the service at the record's ``base_url``: ``host:port`` or ``unix:/path``.

    The record's source is the model or alias at that service; empty leaves the choice to it. Its
    errors come back as they were raised there, and what it charges counts as the cost. Belongs to
    one event loop.
    """

    def __init__(self, record: ModelRecord) -> None:
        if not record.endpoint.base_url:
            allowed = "host:port or unix:/path of the other service"
            raise InvalidRequestError("endpoint.base_url", record.endpoint.base_url, allowed)
        self._record = record
        self._backend = RemoteBackend(record.endpoint.base_url)
        self._closed = False

    @property
    def usable(self) -> bool:
        """Until it is closed: a service that is away may come back."""
        return not self._closed

    @property
    def details(self) -> ModelDetails:
        """What the record says."""
        return ModelDetails(context_length=self._record.config.context_length or 0)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """Answer ``call``; closing the iterator cancels the call at the other service."""
        request = forwarded(call.request, self._record)
        context = CallContext(call.caller, call.deadline)
        reader = EventReader()
        async with aclosing(self._backend.process_stream(request, context)) as events:
            async for event in events:
                for found in reader.read(event):
                    yield found
        if not reader.finished:
            raise ProviderFailedError("the other service ended the answer without its end")

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        """The tokenizer is at the other service."""
        del text, add_special, parse_special
        raise UnsupportedError("tokenize: models of another service are asked for answers only")

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """The tokenizer is at the other service."""
        del token_ids
        raise UnsupportedError("detokenize: models of another service are asked for answers only")

    def release(self, request_id: str) -> None:
        """Nothing is held here."""

    async def close(self) -> None:
        """Cancel what runs and close the connection."""
        self._closed = True
        await self._backend.close()


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
