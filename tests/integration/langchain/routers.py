"""Routers that know the models of a server which acts on what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from tempfile import TemporaryDirectory

from integration.processes import service_process
from integration.upstreams.agent_server import AgentServer
from llm_runner_router.compat.langchain import RouterThread
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.types import ModelFormat

MODELS = ("agent", "other-agent")
KEY = "sk-of-the-service"


@asynccontextmanager
async def service(**environment: str) -> AsyncIterator[str]:
    """The address of a service in a process of its own that knows no model yet."""
    with TemporaryDirectory() as data:
        serve = ("-m", "llm_runner_router.cli", "serve", "--port", "0", "--data", data)
        async with service_process(*serve, environment=environment) as process:
            yield process.address


@contextmanager
def registered(router: RouterThread, server: AgentServer) -> Iterator[RouterThread]:
    """``router`` once it knows the models of ``server``; closed at the end."""
    with router:
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
        yield router
