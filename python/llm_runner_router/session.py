"""A bidirectional session as a caller holds it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.request_fields import RequestFields, messages_of, request_of
from llm_runner_router.types import Message, Request


class ClientSession:
    """Sends messages and iterates events, both at the same time.

    Use ``async with``: leaving the block cancels what still runs. Belongs to one event loop.
    """

    def __init__(
        self,
        converse: Callable[[AsyncIterator[SessionMessage]], AsyncGenerator[SessionEvent, None]],
    ) -> None:
        self._outgoing: asyncio.Queue[SessionMessage | None] = asyncio.Queue()
        self._messages = self._sent()
        self._events = converse(self._messages)
        self._names = itertools.count(1)

    def start(
        self,
        prompt: str | Request | Mapping[str, Any] | None = None,
        *,
        request_id: str | None = None,
        **values: Unpack[RequestFields],
    ) -> str:
        """Begin a request; its id, made up where none is given."""
        name = request_id or f"request-{next(self._names)}"
        self._outgoing.put_nowait(Start(name, request_of(prompt, values)))
        return name

    def append(self, request_id: str, *messages: Message | Mapping[str, str]) -> None:
        """Go on with the conversation of a request that is complete."""
        self._outgoing.put_nowait(Append(request_id, messages_of(messages)))

    def cancel(self, request_id: str) -> None:
        """End a request at once; its Complete says so."""
        self._outgoing.put_nowait(Cancel(request_id))

    def grant(self, request_id: str, chunks: int) -> None:
        """Allow more chunks; the first grant switches the request to counted delivery."""
        self._outgoing.put_nowait(Credits(request_id, chunks))

    def end(self) -> None:
        """Send nothing more: what runs finishes, and then the events end."""
        self._outgoing.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[SessionEvent]:
        return self._events

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._events.aclose()
        await self._messages.aclose()

    async def _sent(self) -> AsyncGenerator[SessionMessage, None]:
        while (message := await self._outgoing.get()) is not None:
            yield message
