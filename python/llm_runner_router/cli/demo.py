# ruff: noqa: PLC0415 - `llm-router --help` should not wait for gRPC and the engine
"""``llm-router demo``: a service, a question over gRPC, and the answer as it arrives."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_runner_router.cli.output import metrics_table, out, say
from llm_runner_router.cli.running import run
from llm_runner_router.conversation_messages import Failure, SessionMessage, Start
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Chunk, Complete, ModelFormat, Request

if TYPE_CHECKING:
    from llm_runner_router.server.app import Server

MODEL = "demo"
QUESTION = "What is LLM Runner Router?"

IN_PYTHON = """\
from llm_runner_router import LLMRouter
async with LLMRouter(target="{address}") as router:
    print((await router.process({question!r})).response)"""


def demo(
    question: Annotated[str, typer.Argument(help="What to ask.")] = QUESTION,
) -> None:
    """Start a service with the model that ships with the package, and ask it a question."""
    run(ask(question))


async def ask(question: str) -> None:
    """The whole demonstration."""
    with tempfile.TemporaryDirectory(prefix="llm-router-demo-") as folder:
        async with running_service(Path(folder)) as server:
            out.print(f"[dim]service on {server.address} (gRPC), model {MODEL}[/dim]\n")
            out.print("[bold]>[/bold] ", end="")
            say(question + "\n")
            complete = await answer_aloud(server.address, question)
    out.print()
    out.print(metrics_table(complete))
    out.print("\n[dim]The same from Python, with `llm-router serve` running:[/dim]\n")
    say(IN_PYTHON.format(address="localhost:50051", question=question))


@asynccontextmanager
async def running_service(folder: Path) -> AsyncIterator[Server]:
    """A service on a free loopback port with the demo model, its registry under ``folder``."""
    from llm_runner_router.config_sources import load_config
    from llm_runner_router.demo import demo_model_path
    from llm_runner_router.runtime import Runtime
    from llm_runner_router.server.app import Server, ServerOptions

    registry = {"path": str(folder / "registry.sqlite")}
    runtime = Runtime(load_config({"registry": registry}, environment={}, folder=folder))
    server = Server(runtime, ServerOptions(port=0, drain_timeout=0))
    try:
        await runtime.initialize()
        source = str(demo_model_path())
        await runtime.register_model(ModelRecord(MODEL, MODEL, ModelFormat.GGUF, source))
        await server.start()
        yield server
        await server.stop()
    finally:
        await runtime.close()


async def answer_aloud(address: str, question: str) -> Complete:
    """Ask over the bidirectional stream and print the answer as it arrives."""
    from llm_runner_router.remote import RemoteBackend

    async def messages() -> AsyncIterator[SessionMessage]:
        yield Start("demo-1", Request(prompt=question, model=MODEL, temperature=0.0))

    backend = RemoteBackend(address)
    try:
        await backend.initialize()
        async with aclosing(backend.converse(messages())) as events:
            async for event in events:
                match event.event:
                    case Chunk(text=text):
                        say(text, end="")
                    case Failure(error=error):
                        raise error
                    case Complete() as complete:
                        out.print()
                        return complete
    finally:
        await backend.close()
    raise asyncio.IncompleteReadError(b"", None)
