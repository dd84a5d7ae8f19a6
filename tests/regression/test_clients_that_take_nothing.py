"""A client that read nothing and had no deadline kept its place among those that run for ever.

Ten of them, with the default limits, and the service answered nobody any more. The same held for a
request on Converse whose client granted a few credits and then no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from integration.word_provider import Service, running
from llm_runner_router.conversation_messages import Credits, Failure, SessionMessage, Start
from llm_runner_router.errors import TimeLimitError
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.router import LLMRouter
from llm_runner_router.types import Request
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

QUICK = {"performance": {"maxConcurrent": 1, "timeout": 1000}}
# Far more than flow control lets into a client that does not read.
LONG = " ".join(["word-of-some-length" * 50] * 900)
NARROW = [("grpc.http2.bdp_probe", 0)]


async def served(service: Service) -> str:
    """Another client's answer, which waits for the only place."""
    async with LLMRouter(target=service.address) as other:
        return (await other.process("quick", timeout=30)).response


async def rest(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_a_stream_that_nobody_reads_gives_its_place_back() -> None:
    async with (
        running(QUICK) as service,
        grpc.aio.insecure_channel(service.address, options=NARROW) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        call = router.ProcessStream(router_pb2.ProcessRequest(prompt=LONG))
        assert (await call.read()).HasField("started")
        assert await served(service) == "quick "
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rest(call)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "took nothing for 1000 ms" in str(caught.value.details())


async def test_a_session_that_nobody_reads_gives_its_places_back() -> None:
    async with (
        running(QUICK) as service,
        grpc.aio.insecure_channel(service.address, options=NARROW) as channel,
    ):
        call = router_pb2_grpc.RouterStub(channel).Converse()
        request = router_pb2.ProcessRequest(prompt=LONG)
        start = router_pb2.Start(request_id="a", request=request)
        await call.write(router_pb2.ConverseRequest(start=start))
        assert (await call.read()).HasField("started")
        assert await served(service) == "quick "
        assert call.cancel()


async def test_a_request_without_credits_gives_its_place_back() -> None:
    async with running(QUICK) as service:
        remote = RemoteBackend(service.address)

        async def messages() -> AsyncIterator[SessionMessage]:
            yield Credits("a", 1)
            yield Start("a", Request(prompt="one two three"))

        events = [event.event async for event in remote.converse(messages())]
        await remote.close()
    failure = events[-1]
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, TimeLimitError)
    assert "no credits for 1000 ms" in failure.error.message
