"""Routers over a server that acts on what it is asked, in this process and in another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from tempfile import TemporaryDirectory

from integration.background import in_background
from integration.processes import service_process
from integration.upstreams.agent_server import AgentServer
from llm_runner_router.compat.langchain import RouterThread
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.types import ModelFormat

IN_PROCESS, SERVICE = "in process", "service"
MODELS = ("agent", "other-agent")


@contextmanager
def upstream() -> Iterator[AgentServer]:
    with in_background(lambda: AgentServer().running()) as server:
        yield server


@contextmanager
def routed(kind: str, server: AgentServer) -> Iterator[RouterThread]:
    """A router of that kind that knows the server's models."""
    if kind == IN_PROCESS:
        with RouterThread({"registry": {"path": None}}) as router:
            register(router, server)
            yield router
    else:
        with in_background(service) as target, RouterThread(target=target) as router:
            register(router, server)
            yield router


@asynccontextmanager
async def service(**environment: str) -> AsyncIterator[str]:
    """The address of a service that knows nothing yet."""
    with TemporaryDirectory() as data:
        serve = ("-m", "llm_runner_router.cli", "serve", "--port", "0", "--data", data)
        async with service_process(*serve, environment={**environment}) as process:
            yield process.address


def register(router: RouterThread, server: AgentServer) -> None:
    for name in MODELS:
        record = ModelRecord(
            id=name,
            name=name,
            format=ModelFormat.API,
            source=f"{name}-upstream",
            provider="openai-compatible",
            endpoint=Endpoint(base_url=f"{server.address}/v1"),
        )
        router.run(lambda face, record=record: face.register_model(record))
