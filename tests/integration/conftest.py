"""A running service and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest_asyncio

from integration.word_provider import Service, running
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.v1 import registry_pb2_grpc, router_pb2_grpc


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with running() as service:
        yield service


@pytest_asyncio.fixture
async def channel(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield channel


@pytest_asyncio.fixture
async def router(channel: grpc.aio.Channel) -> router_pb2_grpc.RouterAsyncStub:
    return router_pb2_grpc.RouterStub(channel)


@pytest_asyncio.fixture
async def registry(channel: grpc.aio.Channel) -> registry_pb2_grpc.RegistryAsyncStub:
    return registry_pb2_grpc.RegistryStub(channel)


@pytest_asyncio.fixture
async def remote(service: Service) -> AsyncIterator[RemoteBackend]:
    backend = RemoteBackend(service.address)
    await backend.initialize()
    yield backend
    await backend.close()
