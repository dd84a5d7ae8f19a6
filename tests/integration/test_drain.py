"""The orderly end: nothing new, what runs finishes, and in time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from integration.word_provider import Service, running
from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.records import ChangeKind
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

REQUEST = router_pb2.ProcessRequest(prompt="one two three")


async def draining(service: Service) -> asyncio.Task[None]:
    """A stop that has begun."""
    stopping = asyncio.ensure_future(service.server.stop())
    await asyncio.sleep(0)
    return stopping


async def refused(call: Any) -> str:
    """The reason that a call is refused with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert any(packed.Unpack(info) for packed in status.details)
    return info.reason


async def test_running_stream_finishes_and_new_ones_are_refused() -> None:
    async with running() as service, grpc.aio.insecure_channel(service.address) as channel:
        router = router_pb2_grpc.RouterStub(channel)
        service.provider.gate.clear()
        stream = router.ProcessStream(REQUEST)
        assert (await stream.read()).HasField("started")
        stopping = await draining(service)
        assert await refused(router.Process(REQUEST)) == "DRAINING"
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        report = await router.CheckHealth(router_pb2.CheckHealthRequest())
        assert (report.ready, report.draining) == (False, True)
        assert not (await router.GetStatus(router_pb2.GetStatusRequest())).healthy
        assert not stopping.done()
        service.provider.gate.set()
        text = ""
        while (event := await stream.read()) is not grpc.aio.EOF:
            text += event.chunk.text
        assert text == "one two three "
        await stopping


async def test_session_ends_when_its_requests_have_ended() -> None:
    async with running() as service, grpc.aio.insecure_channel(service.address) as channel:
        call = router_pb2_grpc.RouterStub(channel).Converse()
        service.provider.gate.clear()
        await call.write(
            router_pb2.ConverseRequest(start=router_pb2.Start(request_id="a", request=REQUEST))
        )
        assert (await call.read()).HasField("started")
        stopping = await draining(service)
        await call.write(
            router_pb2.ConverseRequest(start=router_pb2.Start(request_id="b", request=REQUEST))
        )
        late = await call.read()
        assert (late.request_id, late.failure.reason) == ("b", "DRAINING")
        service.provider.gate.set()
        text = ""
        while (event := await call.read()) is not grpc.aio.EOF:
            text += event.chunk.text
        assert text == "one two three "
        assert await call.code() is grpc.StatusCode.OK
        await stopping


async def test_idle_session_does_not_hold_the_service_up() -> None:
    async with running(drain_timeout=3600) as service:
        channel = grpc.aio.insecure_channel(service.address)
        call = router_pb2_grpc.RouterStub(channel).Converse()
        await call.write(
            router_pb2.ConverseRequest(start=router_pb2.Start(request_id="a", request=REQUEST))
        )
        while not (await call.read()).HasField("complete"):
            pass
        await service.server.stop()
        assert await call.read() is grpc.aio.EOF
        await channel.close()


@pytest.mark.parametrize("impatient", [False, True])
async def test_what_does_not_finish_in_time_is_ended(impatient: bool) -> None:
    timeout = 3600.0 if impatient else 0.1
    async with (
        running(drain_timeout=timeout) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        service.provider.gate.clear()
        answer = asyncio.ensure_future(
            refused(router_pb2_grpc.RouterStub(channel).Process(REQUEST))
        )
        await service.provider.began.wait()
        stopping = await draining(service)
        if impatient:
            service.server.stop_now()
        await stopping
        assert await answer == "DRAINING"
        assert service.provider.running == 0


async def test_a_watch_does_not_hold_the_end_of_the_service_up() -> None:
    async with running() as service:
        remote = RemoteBackend(service.address)
        await remote.initialize()
        async with aclosing(remote.watch_models()) as changes:
            async for change in changes:
                if change.kind is ChangeKind.SYNCED:
                    break
            stopping = asyncio.ensure_future(service.server.stop())
            with pytest.raises(UnavailableError, match="stopping") as caught:
                await anext(changes)
            assert caught.value.reason == "DRAINING"
        async with asyncio.timeout(10.0):
            await stopping
        await remote.close()
