"""LLMRouter: the public face, over a router in this process or a remote one."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from importlib import import_module
from types import TracebackType
from typing import Any, Self, Unpack

from llm_runner_router.backend import Backend, CallContext
from llm_runner_router.config import Config
from llm_runner_router.config_sources import load_config
from llm_runner_router.conversation_messages import SessionEvent, SessionMessage
from llm_runner_router.decision import Decision
from llm_runner_router.ensemble_fields import EnsembleFields, Members, ensemble_of
from llm_runner_router.ensembles import EnsembleResponse
from llm_runner_router.errors import (
    InvalidConfigError,
    InvalidRequestError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.request_fields import RequestFields, request_of
from llm_runner_router.router_registry import RegistryFace
from llm_runner_router.runtime import Runtime
from llm_runner_router.session import ClientSession
from llm_runner_router.types import Event, HealthReport, Request, Response, Status
from llm_runner_router.validation import check_kind, is_number

Prompt = str | Request | Mapping[str, Any]


class LLMRouter(RegistryFace):
    """Answers requests with the models that are registered.

    ``LLMRouter()`` runs models in this process, configured by ``config`` (nested, camelCase or
    snake_case) over the environment over ``config_file`` over defaults; ``LLMRouter(target=
    "host:port")`` uses a service instead, by the same methods and types. Use ``async with``, or
    ``initialize`` and ``close``. Belongs to one event loop. Methods raise RouterError.

    Processing methods take a prompt, a Request or a mapping of its fields, keywords that go on
    top (see RequestFields), and ``timeout``: seconds for the whole answer.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | Config | None = None,
        *,
        config_file: str | os.PathLike[str] | None = None,
        target: str | None = None,
        caller: str = "anonymous",
    ) -> None:
        if target is not None and (config is not None or config_file is not None):
            allowed = "a target alone, or a configuration without a target"
            raise InvalidConfigError("target", target, allowed)
        # The configuration is checked now; what belongs to an event loop is made in one.
        self._make = local(config, config_file) if target is None else remote(target)
        self._caller = caller
        self._opening: asyncio.Task[Backend] | None = None
        self._closed = False

    async def initialize(self) -> None:
        """Open what is needed. First use does so too; again, it does nothing."""
        await self._opened()

    async def close(self) -> None:
        """Cancel what runs and give everything back. May be called more than once."""
        self._closed = True
        if self._opening is not None:
            await asyncio.wait([self._opening])
            if self._opening.exception() is None:
                await self._opening.result().close()

    async def _opened(self) -> Backend:
        """The backend, made and initialized once; after a failure it is tried again."""
        if self._closed:
            raise UnavailableError("the router is closed")
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.ensure_future(opened(self._make))
        return await asyncio.shield(self._opening)

    async def __aenter__(self) -> Self:
        try:
            await self.initialize()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def process(
        self,
        prompt: Prompt | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the request's deadline
        **values: Unpack[RequestFields],
    ) -> Response:
        """Answer whole."""
        return await (await self._opened()).process(
            request_of(prompt, values), self._context(timeout)
        )

    async def process_stream(
        self,
        prompt: Prompt | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - becomes the request's deadline
        **values: Unpack[RequestFields],
    ) -> AsyncGenerator[Event, None]:
        """Answer as Started, Chunk …, Complete. Closing the iterator cancels the request."""
        request, context = request_of(prompt, values), self._context(timeout)
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

    async def get_usage(
        self, *, first_day: str = "", last_day: str = "", caller: str = "", model: str = ""
    ) -> Sequence[UsageRow]:
        """What was used from day to day (such as ``2026-11-24``), all where nothing is said."""
        query = UsageQuery(first_day, last_day, caller, model)
        return await (await self._opened()).get_usage(query)

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

    async def get_config(self) -> Mapping[str, Any]:
        """The configuration in force, nested, with snake_case keys."""
        return await (await self._opened()).get_config()

    async def update_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what may change while running; the rest is InvalidConfigError."""
        return await (await self._opened()).update_config(changes)

    async def get_status(self) -> Status:
        """What the router does now."""
        return await (await self._opened()).get_status()

    async def check_health(self) -> HealthReport:
        """Whether requests are taken."""
        return await (await self._opened()).check_health()

    def _context(self, seconds: float | None) -> CallContext:
        if seconds is None:
            return CallContext(self._caller)
        if not is_number(seconds) or seconds <= 0:
            raise InvalidRequestError("timeout", seconds, "seconds, a number above 0")
        return CallContext(self._caller, time.monotonic() + seconds)


def local(
    config: Mapping[str, Any] | Config | None, config_file: str | os.PathLike[str] | None
) -> Callable[[], Backend]:
    """Makes a router of this process; its configuration is checked at once."""
    values = config.model_dump(exclude_unset=True) if isinstance(config, Config) else config
    loaded = load_config(values, config_file)
    return lambda: Runtime(loaded)


def remote(target: str) -> Callable[[], Backend]:
    """Makes a router over the service at ``host:port``."""

    def make() -> Backend:
        # Imported late: whoever runs models in this process needs no gRPC.
        backend: Backend = import_module("llm_runner_router.remote").RemoteBackend(target)
        return backend

    return make


async def opened(make: Callable[[], Backend]) -> Backend:
    """A backend that is ready, or none that is left half open."""
    backend = make()
    try:
        await backend.initialize()
    except BaseException:
        await backend.close()
        raise
    return backend
