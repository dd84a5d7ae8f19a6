"""What every call to a remote router needs: a deadline, the caller's name, errors of our kind."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import grpc

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import InvalidRequestError, UnavailableError
from llm_runner_router.wire.channel import CALLER_KEY
from llm_runner_router.wire.status import error_from_rpc

Received_co = TypeVar("Received_co", covariant=True)

Metadata = tuple[tuple[str, str], ...]

LOST = "Internal error from Core"
"""What gRPC says of a call that ends while a message is written to it: how it ended is lost."""


class StreamCall(Protocol[Received_co]):
    """A call whose answer is a stream."""

    def __aiter__(self) -> AsyncIterator[Received_co]:
        """The messages as they come."""
        ...

    def cancel(self) -> bool:
        """End the call."""
        ...


@contextmanager
def translated() -> Iterator[None]:
    """Turn the failure of a call into the RouterError that the service raised."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.INTERNAL and error.details() == LOST:
            raise UnavailableError("the service has ended the conversation") from error
        raise error_from_rpc(error) from error


async def received(call: StreamCall[Received_co]) -> AsyncGenerator[Received_co, None]:
    """The messages of a call. Closing the iterator cancels the call."""
    try:
        with translated():
            async for message in call:
                yield message
    finally:
        call.cancel()


def timeout_of(context: CallContext) -> float | None:
    """Seconds that a call may take; a deadline that has passed leaves none."""
    if context.deadline is None:
        return None
    return max(0.0, context.deadline - time.monotonic())


def metadata_of(context: CallContext) -> Metadata:
    """Who calls."""
    caller = context.caller
    if not (caller.isascii() and caller.isprintable()):
        raise InvalidRequestError("caller", caller, "printable ASCII characters")
    return ((CALLER_KEY, caller),)
