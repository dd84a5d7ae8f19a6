"""The state and the health of a service."""

from __future__ import annotations

from llm_runner_router.types import CacheCounts, HealthReport, Status
from llm_runner_router.v1 import router_pb2, types_pb2


def status_to_wire(status: Status) -> router_pb2.GetStatusResponse:
    """What the service does now."""
    return router_pb2.GetStatusResponse(
        healthy=status.healthy,
        version=status.version,
        uptime_seconds=status.uptime_seconds,
        running_requests=status.running_requests,
        queued_requests=status.queued_requests,
        loaded_models=status.loaded_models,
        registered_models=status.registered_models,
        cache=types_pb2.CacheCounts(
            hits=status.cache.hits,
            misses=status.cache.misses,
            coalesced=status.cache.coalesced,
            saved_cost_usd=status.cache.saved_cost_usd,
        ),
    )


def status_from_wire(message: router_pb2.GetStatusResponse) -> Status:
    """What the service does now."""
    return Status(
        healthy=message.healthy,
        version=message.version,
        uptime_seconds=message.uptime_seconds,
        running_requests=message.running_requests,
        queued_requests=message.queued_requests,
        loaded_models=tuple(message.loaded_models),
        registered_models=message.registered_models,
        cache=CacheCounts(
            hits=message.cache.hits,
            misses=message.cache.misses,
            coalesced=message.cache.coalesced,
            saved_cost_usd=message.cache.saved_cost_usd,
        ),
    )


def health_to_wire(report: HealthReport) -> router_pb2.CheckHealthResponse:
    """Whether requests are taken."""
    return router_pb2.CheckHealthResponse(
        ready=report.ready, draining=report.draining, models=report.models
    )


def health_from_wire(message: router_pb2.CheckHealthResponse) -> HealthReport:
    """Whether requests are taken."""
    return HealthReport(message.ready, message.draining, dict(message.models))
