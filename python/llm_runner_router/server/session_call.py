"""One Converse call between the wire and the backend."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from llm_runner_router.backend import Backend, CallContext
from llm_runner_router.conversation_messages import (
    Append,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.errors import RouterError
from llm_runner_router.server.drain import Drain
from llm_runner_router.server.writing import Writer
from llm_runner_router.types import Complete
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.sessions import (
    request_id_of,
    session_event_to_wire,
    session_message_from_wire,
)

Incoming = AsyncIterator[router_pb2.ConverseRequest]


class SessionCall:
    """Carries messages in and events out until the client half-closes or the service ends.

    A message that cannot be converted is answered here, by a Failure for its request. When the
    service drains, new turns are refused and the call ends as soon as nothing runs on it.
    """

    def __init__(self, incoming: Incoming, writer: Writer, drain: Drain) -> None:
        self._incoming = incoming
        self._writer = writer
        self._drain = drain
        self._writing = asyncio.Lock()
        self._running: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, backend: Backend, context: CallContext) -> None:
        """Serve the call to its end."""
        messages = self._messages()
        session = backend.converse(messages, context)
        async with aclosing(messages), aclosing(session) as events:
            async for event in events:
                await self._send(event)
                if isinstance(event.event, Complete | Failure):
                    self._ended(event.request_id)

    async def _send(self, event: SessionEvent) -> None:
        """Write one event; gRPC allows one writer at a time."""
        async with self._writing:
            await self._writer.write(session_event_to_wire(event))

    async def _messages(self) -> AsyncGenerator[SessionMessage, None]:
        """What the client says, as far as it makes sense."""
        drained = asyncio.ensure_future(self._drained())
        try:
            while (message := await self._next(drained)) is not None:
                try:
                    converted = session_message_from_wire(message)
                    self._admit(converted)
                except RouterError as error:
                    await self._send(SessionEvent(request_id_of(message), Failure(error)))
                else:
                    yield converted
        finally:
            drained.cancel()

    async def _next(self, drained: asyncio.Future[None]) -> router_pb2.ConverseRequest | None:
        """The next message; ``None`` at the end of the client's or of the service."""
        waiting = asyncio.ensure_future(self._read())
        try:
            both: set[asyncio.Future[Any]] = {waiting, drained}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()

    async def _read(self) -> router_pb2.ConverseRequest | None:
        return await anext(self._incoming, None)

    async def _drained(self) -> None:
        """Wait until the service ends and nothing runs on this call."""
        await self._drain.begun.wait()
        await self._idle.wait()

    def _admit(self, message: SessionMessage) -> None:
        """Count a new turn; UnavailableError once the service ends."""
        if isinstance(message, Start | Append):
            self._drain.check()
            self._running[message.request_id] += 1
            self._idle.clear()

    def _ended(self, request_id: str) -> None:
        """Count a turn as ended."""
        self._running[request_id] -= 1
        if self._running[request_id] <= 0:
            del self._running[request_id]
        if not self._running:
            self._idle.set()
