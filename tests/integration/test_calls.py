"""What every call has in common: its name, and errors that nobody foresaw."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

import grpc
import pytest

from integration.word_provider import Service
from llm_runner_router.v1 import router_pb2

if TYPE_CHECKING:
    from llm_runner_router.v1.router_pb2_grpc import RouterAsyncStub

REQUEST = router_pb2.GetStatusRequest()


async def broken() -> NoReturn:
    raise ZeroDivisionError("the secret of the house")


async def test_unforeseen_error_is_internal_and_told_to_the_log_only(
    service: Service,
    router: RouterAsyncStub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(service.runtime, "get_status", broken)
    with caplog.at_level(logging.ERROR), pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.GetStatus(REQUEST, metadata=(("x-request-id", "my-call"),))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "my-call" in caught.value.details()
    assert "secret" not in caught.value.details()
    assert "secret" in caplog.text
    assert "my-call" in caplog.text


async def test_calls_have_a_name(router: RouterAsyncStub) -> None:
    named = router.GetStatus(REQUEST, metadata=(("x-request-id", "my-call"),))
    await named
    assert ("x-request-id", "my-call") in tuple(await named.trailing_metadata())
    unnamed = router.GetStatus(REQUEST)
    await unnamed
    (name,) = [v for k, v in await unnamed.trailing_metadata() if k == "x-request-id"]
    assert len(name) == 16


async def test_failed_calls_are_logged_with_their_caller(
    router: RouterAsyncStub, caplog: pytest.LogCaptureFixture
) -> None:
    request = router_pb2.ProcessRequest(prompt="a", model="absent")
    with caplog.at_level(logging.INFO), pytest.raises(grpc.aio.AioRpcError):
        await router.Process(request, metadata=(("x-caller", "alice"),))
    assert "caller=alice MODEL_NOT_FOUND" in caplog.text


async def test_configuration_changes_while_running(router: RouterAsyncStub) -> None:
    performance = router_pb2.PerformanceConfig(max_concurrent=3, timeout_ms=5000)
    change = router_pb2.UpdateConfigRequest(config=router_pb2.Config(performance=performance))
    answer = await router.UpdateConfig(change)
    assert answer.config.performance.max_concurrent == 3
    now = await router.GetConfig(router_pb2.GetConfigRequest())
    assert now.config == answer.config
    assert now.config.performance.timeout_ms == 5000
    wrong = router_pb2.Config(
        performance=router_pb2.PerformanceConfig(max_concurrent=5, timeout_ms=1)
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.UpdateConfig(router_pb2.UpdateConfigRequest(config=wrong))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await router.GetConfig(router_pb2.GetConfigRequest())).config == answer.config
