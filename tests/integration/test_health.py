"""grpc.health.v1 and reflection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from integration.word_provider import Service
from llm_runner_router.v1 import registry_pb2, router_pb2

if TYPE_CHECKING:
    from llm_runner_router.v1.registry_pb2_grpc import RegistryAsyncStub
    from llm_runner_router.v1.router_pb2_grpc import RouterAsyncStub

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
ROUTER, REGISTRY = "llm_runner_router.v1.Router", "llm_runner_router.v1.Registry"


async def check(channel: grpc.aio.Channel, name: str) -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    status: int = answer.status
    return status


@pytest.mark.parametrize("name", ["", ROUTER, REGISTRY])
async def test_services_are_serving(channel: grpc.aio.Channel, name: str) -> None:
    assert await check(channel, name) == SERVING


async def test_model_is_serving_while_it_is_in_memory(
    channel: grpc.aio.Channel, registry: RegistryAsyncStub
) -> None:
    assert await check(channel, "words") == NOT_SERVING
    async for _ in registry.LoadModel(registry_pb2.LoadModelRequest(id="words")):
        pass
    assert await check(channel, "words") == SERVING
    await registry.UnloadModel(registry_pb2.UnloadModelRequest(id="words"))
    assert await check(channel, "words") == NOT_SERVING


async def test_unknown_name_is_not_found(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(channel, "nobody")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_watch_tells_changes_and_the_end(service: Service, channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="words"))
    assert (await watch.read()).status == NOT_SERVING
    await service.runtime.load_model("words")
    assert (await watch.read()).status == SERVING
    await service.server.stop()
    assert (await watch.read()).status == NOT_SERVING
    assert await watch.read() is grpc.aio.EOF
    assert await watch.code() is grpc.StatusCode.OK


async def test_check_health_and_status(router: RouterAsyncStub) -> None:
    health = await router.CheckHealth(router_pb2.CheckHealthRequest())
    assert (health.ready, health.draining, dict(health.models)) == (True, False, {"words": False})
    await router.Process(router_pb2.ProcessRequest(prompt="load it"))
    status = await router.GetStatus(router_pb2.GetStatusRequest())
    assert status.healthy
    assert list(status.loaded_models) == ["words"]
    assert status.registered_models == 1
    assert status.version


async def test_reflection_describes_both_services(service: Service) -> None:
    names, methods = await asyncio.to_thread(reflect, service.address)
    assert {ROUTER, REGISTRY, "grpc.health.v1.Health"} <= names
    assert {"Process", "ProcessStream", "ProcessBatch", "Converse"} <= methods


def reflect(address: str) -> tuple[set[str], set[str]]:
    """What a client that knows nothing learns."""
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        names = set(database.get_services())
        service = DescriptorPool(database).FindServiceByName(ROUTER)
        return names, {method.name for method in service.methods}
