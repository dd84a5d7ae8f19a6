"""SIGTERM and SIGINT end a service process in good order."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import grpc
import pytest

from integration.processes import service_process
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

WORD_SERVER = str(Path(__file__).with_name("word_server.py"))
PROMPT = router_pb2.ProcessRequest(prompt="one two three four")


async def waiting_stream(channel: grpc.aio.Channel) -> Any:
    """A session whose only request has started and has said nothing yet."""
    call = router_pb2_grpc.RouterStub(channel).Converse()
    start = router_pb2.Start(request_id="a", request=PROMPT)
    await call.write(router_pb2.ConverseRequest(start=start))
    assert (await call.read()).HasField("started")
    return call


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_running_stream_finishes_before_the_process_ends(number: signal.Signals) -> None:
    async with (
        service_process(WORD_SERVER, "30") as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        call = await waiting_stream(channel)
        service.process.send_signal(number)
        router = router_pb2_grpc.RouterStub(channel)
        while (await router.CheckHealth(router_pb2.CheckHealthRequest())).ready:
            pass
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.Process(PROMPT)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        service.process.send_signal(signal.SIGUSR1)
        text = ""
        while (event := await call.read()) is not grpc.aio.EOF:
            text += event.chunk.text
        assert text == "one two three four "
        assert await call.code() is grpc.StatusCode.OK
        assert await service.exit_code() == 0


async def test_process_ends_in_time_with_a_stream_that_does_not() -> None:
    async with (
        service_process(WORD_SERVER, "0.2") as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        call = await waiting_stream(channel)
        service.process.send_signal(signal.SIGTERM)
        assert await service.exit_code() == 0
        assert await call.code() is grpc.StatusCode.UNAVAILABLE


async def test_second_signal_ends_what_runs() -> None:
    async with (
        service_process(WORD_SERVER, "3600") as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        call = await waiting_stream(channel)
        service.process.send_signal(signal.SIGINT)
        router = router_pb2_grpc.RouterStub(channel)
        while (await router.CheckHealth(router_pb2.CheckHealthRequest())).ready:
            pass
        service.process.send_signal(signal.SIGINT)
        assert await service.exit_code() == 0
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
