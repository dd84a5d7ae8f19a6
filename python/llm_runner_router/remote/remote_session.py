"""One session with a remote router."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from llm_runner_router.backend import CallContext
from llm_runner_router.conversation_messages import Failure, SessionEvent, SessionMessage
from llm_runner_router.errors import RouterError
from llm_runner_router.remote.calls import StreamCall, metadata_of, received, timeout_of
from llm_runner_router.v1 import router_pb2, router_pb2_grpc
from llm_runner_router.wire.sessions import session_event_from_wire, session_message_to_wire


class RemoteSession:
    """Carries the caller's messages out and the service's events in.

    A message that the wire cannot hold is answered here, by a Failure for its request, as the
    service would. An error of the caller's iterator ends the session and is raised by ``events``.
    """

    def __init__(self, messages: AsyncIterator[SessionMessage]) -> None:
        self._messages = messages
        self._incoming: asyncio.Queue[SessionEvent | None] = asyncio.Queue(1)
        self._callers_error: Exception | None = None
        self._closing = False
        self._call: StreamCall[router_pb2.ConverseResponse]

    async def events(
        self, stub: router_pb2_grpc.RouterAsyncStub, context: CallContext
    ) -> AsyncGenerator[SessionEvent, None]:
        """The events of the session; closing the iterator cancels it."""
        self._call = stub.Converse(
            self._outgoing(), timeout=timeout_of(context), metadata=metadata_of(context)
        )
        reading = asyncio.ensure_future(self._read())
        try:
            while (event := await self._incoming.get()) is not None:
                yield event
            await reading
        finally:
            self._closing = True
            reading.cancel()
            self._call.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _outgoing(self) -> AsyncIterator[router_pb2.ConverseRequest]:
        """What the caller says. gRPC would only log an exception of this iterator."""
        try:
            async for message in self._messages:
                try:
                    converted = session_message_to_wire(message)
                except RouterError as error:
                    await self._incoming.put(SessionEvent(message.request_id, Failure(error)))
                else:
                    yield converted
        except Exception as error:  # noqa: BLE001 - raised by _read
            self._callers_error = error
            self._call.cancel()

    async def _read(self) -> None:
        """Hand on what the service says, then the end."""
        try:
            await self._receive()
        except asyncio.CancelledError:
            if self._callers_error is None:
                raise
            raise self._callers_error from None
        finally:
            if not self._closing:
                await self._incoming.put(None)

    async def _receive(self) -> None:
        async with aclosing(received(self._call)) as answers:
            async for answer in answers:
                event = session_event_from_wire(answer)
                if event is not None:
                    await self._incoming.put(event)
