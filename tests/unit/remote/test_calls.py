from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import EngineError, InvalidRequestError, UnavailableError
from llm_runner_router.remote.calls import metadata_of, received, timeout_of


class Call:
    """Sends words, then goes on for ever or fails; notes whether it was cancelled."""

    def __init__(self, *words: str, failure: Exception | None = None) -> None:
        self.cancelled = False
        self._words = words
        self._failure = failure

    async def __aiter__(self) -> AsyncIterator[str]:
        for word in self._words:
            yield word
        if self._failure is not None:
            raise self._failure
        await asyncio.Event().wait()

    def cancel(self) -> bool:
        self.cancelled = True
        return True


async def test_closing_the_messages_cancels_the_call() -> None:
    call = Call("one", "two")
    async with aclosing(received(call)) as messages:
        assert await anext(messages) == "one"
        assert not call.cancelled
    assert call.cancelled


async def test_cancelling_who_waits_cancels_the_call() -> None:
    call = Call("one")

    async def listen() -> None:
        async with aclosing(received(call)) as messages:
            async for word in messages:
                heard.set_result(word)

    heard = asyncio.get_running_loop().create_future()
    listening = asyncio.ensure_future(listen())
    assert await heard == "one"
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert call.cancelled


async def test_the_failure_of_a_call_is_an_error_of_ours() -> None:
    empty = grpc.aio.Metadata()
    failure = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, empty, empty, "gone")
    with pytest.raises(UnavailableError, match="gone"):
        async for _ in received(Call(failure=failure)):
            pass


async def test_a_call_that_ends_while_it_is_written_to_has_gone() -> None:
    empty = grpc.aio.Metadata()
    lost = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, empty, empty, "Internal error from Core")
    with pytest.raises(UnavailableError, match="the service has ended the conversation"):
        async for _ in received(Call(failure=lost)):
            pass
    other = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, empty, empty, "a fault")
    with pytest.raises(EngineError, match="a fault"):
        async for _ in received(Call(failure=other)):
            pass


def test_a_deadline_that_has_passed_leaves_no_time() -> None:
    assert timeout_of(CallContext()) is None
    assert timeout_of(CallContext(deadline=time.monotonic() - 9.0)) == 0.0
    left = timeout_of(CallContext(deadline=time.monotonic() + 1e6))
    assert left is not None
    assert left > 0


def test_who_calls_fits_a_header() -> None:
    assert [value for _, value in metadata_of(CallContext("alice"))] == ["alice"]
    for caller in ("élan", "a\nb"):
        with pytest.raises(InvalidRequestError, match="caller"):
            metadata_of(CallContext(caller))
