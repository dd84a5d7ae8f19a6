"""Queues, slow readers and message sizes."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from integration.word_provider import running
from llm_runner_router.v1 import router_pb2, router_pb2_grpc


async def test_past_the_queue_requests_are_refused_with_a_time_to_retry() -> None:
    limits = {"performance": {"max_concurrent": 1, "max_queue": 1}}
    async with running(limits) as service, grpc.aio.insecure_channel(service.address) as channel:
        router = router_pb2_grpc.RouterStub(channel)
        service.provider.gate.clear()
        request = router_pb2.ProcessRequest(prompt="a b")
        first = router.ProcessStream(request)
        assert (await first.read()).HasField("started")
        second = asyncio.ensure_future(collect(router.ProcessStream(request)))
        while (await service.runtime.get_status()).queued_requests == 0:
            await asyncio.wait({second}, timeout=0.01)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.Process(request)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        status = rpc_status.from_call(caught.value)
        assert status is not None
        kinds = {packed.TypeName() for packed in status.details}
        assert {"google.rpc.RetryInfo", "google.rpc.QuotaFailure"} <= kinds
        retry = error_details_pb2.RetryInfo()
        assert any(packed.Unpack(retry) for packed in status.details)
        assert retry.retry_delay.ToMilliseconds() > 0
        service.provider.gate.set()
        assert await second == "a b "
        assert first.cancel()


async def collect(call: Any) -> str:
    text = ""
    while (event := await call.read()) is not grpc.aio.EOF:
        text += event.chunk.text
    return text


async def test_slow_reader_is_paused_and_slows_nobody_else() -> None:
    words, count = "word-of-some-length" * 50, 900
    options = [("grpc.http2.bdp_probe", 0)]
    async with (
        running() as service,
        grpc.aio.insecure_channel(service.address, options=options) as channel,
        grpc.aio.insecure_channel(service.address) as other_channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        prompt = " ".join([words] * count)
        slow = router.ProcessStream(router_pb2.ProcessRequest(prompt=prompt))
        assert (await slow.read()).HasField("started")
        other = router_pb2_grpc.RouterStub(other_channel)
        for _ in range(30):
            quick = await other.Process(router_pb2.ProcessRequest(prompt="quick"))
            assert quick.response == "quick "
        said = service.provider.said - 30
        assert said < count, "the answer ran on without its reader"
        assert service.provider.running == 1
        text = await collect(slow)
        assert len(text.split()) == count


async def test_message_past_the_limit_is_refused() -> None:
    async with (
        running() as service,
        grpc.aio.insecure_channel(
            service.address, options=[("grpc.max_receive_message_length", -1)]
        ) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.Process(router_pb2.ProcessRequest(prompt="x" * (65 << 20)))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        answer = await router.Process(router_pb2.ProcessRequest(prompt="x" * (5 << 20)))
        assert len(answer.response) > 5 << 20
