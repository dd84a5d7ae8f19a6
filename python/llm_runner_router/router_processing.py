"""The asking half of LLMRouter: requests in all their forms."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, Unpack, overload

from llm_runner_router.backend import Backend, CallContext
from llm_runner_router.conversation_messages import SessionEvent, SessionMessage
from llm_runner_router.decision import Decision
from llm_runner_router.ensemble_fields import EnsembleFields, Members, ensemble_of
from llm_runner_router.ensembles import EnsembleResponse
from llm_runner_router.errors import InvalidRequestError, RouterError
from llm_runner_router.request_fields import (
    RequestFields,
    asked_of,
    request_of,
    streamed_request_of,
)
from llm_runner_router.request_names import STREAMING
from llm_runner_router.session import ClientSession
from llm_runner_router.types import Event, Request, Response
from llm_runner_router.validation.request import check_kind, is_number

Prompt = str | Request | Mapping[str, Any]


class ProcessingFace(ABC):
    """What a Backend answers, by methods that take plain values. Methods raise RouterError.

    They take a prompt, a Request or a mapping of its fields, keywords that go on top (see
    RequestFields), and ``timeout``: seconds for the whole answer.
    """

    _caller: str

    @abstractmethod
    async def _opened(self) -> Backend:
        """The backend, ready for use."""

    @overload
    async def process(
        self,
        prompt: Prompt | None = None,
        *,
        streaming: Literal[False] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
        **values: Unpack[RequestFields],
    ) -> Response: ...

    @overload
    async def process(
        self,
        prompt: Prompt | None = None,
        *,
        streaming: Literal[True],
        timeout: float | None = None,  # noqa: ASYNC109
        **values: Unpack[RequestFields],
    ) -> AsyncGenerator[Event, None]: ...

    async def process(
        self,
        prompt: Prompt | None = None,
        *,
        streaming: bool | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the request's deadline
        **values: Unpack[RequestFields],
    ) -> Response | AsyncGenerator[Event, None]:
        """Answer whole; with ``streaming`` the events of ``process_stream``, to iterate."""
        said = {} if streaming is None else {STREAMING: streaming}
        request, streamed = asked_of(prompt, {**values, **said})
        if streamed:
            return self.process_stream(request, timeout=timeout)
        return await (await self._opened()).process(request, self._context(timeout))

    async def process_stream(
        self,
        prompt: Prompt | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the request's deadline
        **values: Unpack[RequestFields],
    ) -> AsyncGenerator[Event, None]:
        """Answer as Started, Chunk …, Complete. Closing the iterator cancels the request."""
        request, context = streamed_request_of(prompt, values), self._context(timeout)
        events = (await self._opened()).process_stream(request, context)
        async with aclosing(events):
            async for event in events:
                yield event

    async def process_batch(
        self,
        requests: Sequence[Prompt],
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the requests' deadline
    ) -> Sequence[Response | RouterError]:
        """Answer each, in order; one that fails gives its error and does not fail the others."""
        check_kind("requests", requests, Sequence, "a list of requests")
        wanted = [request_of(request, {}) for request in requests]
        return await (await self._opened()).process_batch(wanted, self._context(timeout))

    async def process_ensemble(
        self,
        prompt: Prompt | None,
        members: Members,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the requests' deadline
        **values: Unpack[EnsembleFields],
    ) -> EnsembleResponse:
        """Ask several models (ids or aliases, with weights or without) and choose one answer."""
        ensemble = ensemble_of(prompt, members, values)
        return await (await self._opened()).process_ensemble(ensemble, self._context(timeout))

    async def route(
        self,
        prompt: Prompt | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the request's deadline
        **values: Unpack[RequestFields],
    ) -> Decision:
        """Which model would answer, and why; nothing is run, counted or remembered."""
        return await (await self._opened()).route(
            request_of(prompt, values), self._context(timeout)
        )

    async def feedback(self, request_id: str, score: float) -> None:
        """How good an answer was, from 0 to 1.

        ``request_id`` is that of a response, or the ``answer_id`` of a Started: each turn of a
        conversation has one.
        """
        await (await self._opened()).feedback(request_id, score, self._context(None))

    async def converse(
        self,
        messages: AsyncIterator[SessionMessage],
        *,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncGenerator[SessionEvent, None]:
        """Run a session of many requests. ``session`` is the handier form."""
        events = (await self._opened()).converse(messages, self._context(timeout))
        async with aclosing(events):
            async for event in events:
                yield event

    def session(self) -> ClientSession:
        """A session to send to and to iterate: ``async with router.session() as session``."""
        return ClientSession(self.converse)

    async def tokenize(
        self,
        text: str,
        *,
        model: str | None = None,
        add_special: bool = True,
        parse_special: bool = False,
    ) -> Sequence[int]:
        """The token ids of a text."""
        return await (await self._opened()).tokenize(
            model, text, add_special=add_special, parse_special=parse_special
        )

    async def detokenize(self, token_ids: Sequence[int], *, model: str | None = None) -> str:
        """The text of token ids."""
        return await (await self._opened()).detokenize(model, token_ids)

    def _context(self, seconds: float | None) -> CallContext:
        if seconds is None:
            return CallContext(self._caller)
        if not is_number(seconds) or seconds <= 0:
            raise InvalidRequestError("timeout", seconds, "seconds, a number above 0")
        return CallContext(self._caller, time.monotonic() + seconds)
