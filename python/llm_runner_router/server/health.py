# ruff: noqa: N802 - gRPC gives the methods their names
"""grpc.health.v1: the service as a whole (empty name), both services, and each model by its id."""

from __future__ import annotations

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from llm_runner_router.backend import Backend
from llm_runner_router.errors import RouterError
from llm_runner_router.server.calls import ServicerContext
from llm_runner_router.server.drain import Drain
from llm_runner_router.types import HealthReport
from llm_runner_router.v1 import registry_pb2, router_pb2

SERVICE_NAMES = frozenset(
    {
        "",
        router_pb2.DESCRIPTOR.services_by_name["Router"].full_name,
        registry_pb2.DESCRIPTOR.services_by_name["Registry"].full_name,
    }
)

LOOK_AGAIN_SECONDS = 1.0
"""How late a watcher may hear of a model that was loaded or unloaded."""

Answer = health_pb2.HealthCheckResponse


class HealthService(health_pb2_grpc.HealthServicer):
    """A service is SERVING while it takes requests; a model while it is in memory besides."""

    def __init__(self, backend: Backend, drain: Drain) -> None:
        self._backend = backend
        self._drain = drain

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """The state of one name; NOT_FOUND for a name that nothing has."""
        status = await self._status(request.service)
        if status == Answer.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "neither a service nor a model")
        return Answer(status=status)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: ServicerContext) -> None:
        """The state of one name now and at each change, until the service ends."""
        last = None
        while True:
            draining = self._drain.begun.is_set()
            status = await self._status(request.service)
            if status != last:
                await context.write(Answer(status=status))
                last = status
            if draining:
                return
            await self._pause()

    async def _pause(self) -> None:
        """Wait a moment, shorter where the service begins to end."""
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._drain.begun.wait()
        except TimeoutError:
            pass

    async def _status(self, name: str) -> int:
        """The state of one name."""
        try:
            report = await self._backend.check_health()
        except RouterError:
            return Answer.NOT_SERVING
        ready = report.ready and not self._drain.begun.is_set()
        serving = serves(report, name)
        if serving is None:
            return Answer.SERVICE_UNKNOWN
        return Answer.SERVING if ready and serving else Answer.NOT_SERVING


def serves(report: HealthReport, name: str) -> bool | None:
    """Whether a ready service serves ``name``; ``None`` where nothing has that name."""
    return True if name in SERVICE_NAMES else report.models.get(name)
