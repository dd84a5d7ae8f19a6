# ruff: noqa: PLC0415 - `llm-router --help` should not wait for gRPC and the engine
"""``llm-router demo``: a service, a question over gRPC, and the answer as it arrives."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_runner_router.cli.output import metrics_table, out, say
from llm_runner_router.cli.running import run
from llm_runner_router.conversation_messages import Failure, SessionMessage, Start
from llm_runner_router.demo import demo_model_path
from llm_runner_router.errors import EngineError, ModelFileError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import Chunk, Complete, ModelFormat, Request

if TYPE_CHECKING:
    from llm_runner_router.server.app import Server

MODEL = "demo"
QUESTION = "What is LLM Runner Router?"

BEFORE_PYTHON = "The same in Python (python -m asyncio; from llm_runner_router import LLMRouter):"
IN_PYTHON = """\
async with LLMRouter() as router:
    await router.register_model({model!r}, {source!r})
    print((await router.process({question!r}, temperature=0.0)).response)"""


def demo(
    question: Annotated[str, typer.Argument(help="What to ask.")] = QUESTION,
) -> None:
    """Start a service with the model that ships with the package, and ask it a question."""
    run(ask(question))


def shipped_model() -> str:
    """The path of the model that ships with the package."""
    try:
        return str(demo_model_path())
    except FileNotFoundError as error:
        raise ModelFileError(str(error)) from None


async def ask(question: str) -> None:
    """The whole demonstration."""
    source = shipped_model()
    with tempfile.TemporaryDirectory(prefix="llm-router-demo-") as folder:
        async with running_service(Path(folder), source) as server:
            out.print(f"[dim]service on {server.address} (gRPC), model {MODEL}[/dim]\n")
            out.print("[bold]>[/bold] ", end="")
            say(question + "\n")
            complete = await answer_aloud(server.address, question)
    out.print()
    out.print(metrics_table(complete))
    out.print(f"\n[dim]{BEFORE_PYTHON}[/dim]\n")
    say(IN_PYTHON.format(model=MODEL, source=source, question=question))


@asynccontextmanager
async def running_service(folder: Path, source: str) -> AsyncIterator[Server]:
    """A service on a free loopback port with one model, its registry under ``folder``."""
    from llm_runner_router.config.sources import load_config
    from llm_runner_router.runtime import Runtime
    from llm_runner_router.server.app import Server, ServerOptions

    registry = {"path": str(folder / "registry.sqlite")}
    runtime = Runtime(load_config({"registry": registry}, environment={}, folder=folder))
    server = Server(runtime, ServerOptions(port=0, drain_timeout=0))
    try:
        await runtime.initialize()
        await runtime.register_model(ModelRecord(MODEL, MODEL, ModelFormat.GGUF, source))
        await server.start()
        try:
            yield server
        finally:
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
    raise EngineError("the answer ended without a result")
