"""Ways to one echo that speaks OpenAI's API: straight, through our service, through its peers.

Each runs in processes of its own on free loopback ports, with the defaults of its command.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import grpc

from benchmarks.http_client import HttpClient
from benchmarks.peer_environments import commands_of
from llm_runner_router.registry.records import Endpoint, ModelRecord, Pricing
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import ModelFormat
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

MODEL = "echo"
OURS = "llm-runner-router"
REQUIREMENTS = {
    "smg": "smg==1.13.0",
    # Later ones ask for a package litellm-proxy of their own version, which is not everywhere.
    "litellm": "litellm[proxy]==1.106.12",
}
START_SECONDS = 120.0
HANGING_SECONDS = 60.0
PATH = "/v1/chat/completions"


class Way(Protocol):
    """A way to the echo. RuntimeError where an answer is not what was said."""

    async def ask(self, prompt: str) -> None:
        """A whole answer."""

    async def first_seconds(self, prompt: str) -> float:
        """Seconds to the first text of a streamed answer, which is then read to its end."""

    async def close(self) -> None:
        """Let the connections go."""


class OverHttp:
    """OpenAI's API by the least of clients."""

    def __init__(self, port: int, key: str) -> None:
        self._client = HttpClient(port, PATH, {"Authorization": f"Bearer {key}"})

    async def ask(self, prompt: str) -> None:
        """See Way."""
        answer = json.loads(await self._client.post(body(prompt)))
        check(answer["choices"][0]["message"]["content"], prompt)

    async def first_seconds(self, prompt: str) -> float:
        """See Way."""
        return await self._client.first_content_seconds(body(prompt, stream=True))

    async def close(self) -> None:
        """See Way."""
        self._client.close()


class OverGrpc:
    """Our API by the generated stubs on one channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address)
        stub: router_pb2_grpc.RouterAsyncStub = router_pb2_grpc.RouterStub(self._channel)
        self._router = stub

    async def ask(self, prompt: str) -> None:
        """See Way."""
        request = router_pb2.ProcessRequest(prompt=prompt, model=MODEL)
        answer = await self._router.Process(request, timeout=HANGING_SECONDS)
        check(answer.response, prompt)

    async def first_seconds(self, prompt: str) -> float:
        """See Way."""
        request = router_pb2.ProcessRequest(prompt=prompt, model=MODEL)
        begin, seconds = time.perf_counter(), 0.0
        async for message in self._router.ProcessStream(request, timeout=HANGING_SECONDS):
            if not seconds and message.chunk.text:
                seconds = time.perf_counter() - begin
        if not seconds:
            raise RuntimeError("a stream without text")
        return seconds

    async def close(self) -> None:
        """See Way."""
        await self._channel.close()


def body(prompt: str, *, stream: bool = False) -> bytes:
    """A request of OpenAI's API."""
    message = {"role": "user", "content": prompt}
    return json.dumps({"model": MODEL, "messages": [message], "stream": stream}).encode()


def check(answer: str, prompt: str) -> None:
    """The echo's answer, all of it."""
    if answer != prompt:
        raise RuntimeError(f"the answer to {prompt[:80]!r} is {answer[:80]!r}")


@dataclass(frozen=True)
class Running:
    """A process that serves a way; ``way`` is made on the loop that uses it."""

    process: int
    way: Callable[[], Way]


@contextmanager
def echo() -> Iterator[tuple[int, Running]]:
    """The echo itself: its port, and the straight way."""
    script = str(Path(__file__).with_name("openai_echo.py"))
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield port, Running(process.pid, lambda: OverHttp(port, "none"))
        finally:
            process.kill()


@contextmanager
def ours(echo_port: int) -> Iterator[Running]:
    """``llm-router serve`` with one model behind the echo."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        serve = [sys.executable, "-m", "llm_runner_router.cli", "serve", "--data", folder]
        with served([*serve, "--port", str(port)], lambda: OverGrpc(address), folder) as running:
            asyncio.run(registered(address, echo_port))
            asyncio.run(answered(running.way))
            yield running


async def registered(address: str, echo_port: int) -> None:
    """The echo as a model of our service, as soon as that takes calls."""
    record = ModelRecord(
        id=MODEL,
        name=MODEL,
        format=ModelFormat.API,
        source=MODEL,
        provider="openai-compatible",
        endpoint=Endpoint(base_url=f"http://127.0.0.1:{echo_port}/v1"),
        pricing=Pricing(input=1.0, output=2.0),
    )
    backend = RemoteBackend(address, connect_timeout=START_SECONDS)
    try:
        await backend.initialize()
        await backend.register_model(record)
    finally:
        await backend.close()


@contextmanager
def smg(echo_port: int) -> Iterator[Running]:
    """Shepherd Model Gateway in front of the echo."""
    command = commands_of("smg", REQUIREMENTS["smg"]) / "smg"
    port, prometheus = free_port(), free_port()
    settings = ["--backend", "openai", "--worker-urls", f"http://127.0.0.1:{echo_port}"]
    settings += ["--prometheus-port", str(prometheus), "--log-level", "error"]
    launch = [str(command), "launch", "--host", "127.0.0.1", "--port", str(port), *settings]
    with served(launch, lambda: OverHttp(port, "none")) as running:
        asyncio.run(answered(running.way))
        yield running


@contextmanager
def litellm(echo_port: int) -> Iterator[Running]:
    """LiteLLM's proxy in front of the echo."""
    command = commands_of("litellm", REQUIREMENTS["litellm"]) / "litellm"
    port, key = free_port(), f"sk-{secrets.token_hex(32)}"
    settings = {
        "model_list": [
            {
                "model_name": MODEL,
                "litellm_params": {
                    "model": f"openai/{MODEL}",
                    "api_base": f"http://127.0.0.1:{echo_port}/v1",
                    "api_key": "none",
                },
            }
        ],
        "general_settings": {"master_key": key},
    }
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(settings))  # JSON is YAML
        launch = [str(command), "--config", str(config), "--host", "127.0.0.1"]
        with served([*launch, "--port", str(port)], lambda: OverHttp(port, key), folder) as running:
            asyncio.run(answered(running.way))
            yield running


@contextmanager
def bare_grpc(_echo_port: int) -> Iterator[Running]:
    """GRPC alone: our stubs answered by a service without our code, which asks no echo."""
    host = str(Path(__file__).with_name("serving_host.py"))
    with subprocess.Popen(
        [sys.executable, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            addresses = process.stdout.readline().split()
            if len(addresses) != 2:
                raise RuntimeError("the bare service did not start")
            yield Running(process.pid, lambda: OverGrpc(addresses[1]))
        finally:
            process.kill()


PEERS: dict[str, Callable[[int], AbstractContextManager[Running]]] = {
    "smg": smg,
    "litellm": litellm,
}


@contextmanager
def served(command: list[str], way: Callable[[], Way], folder: str = ".") -> Iterator[Running]:
    """A command that serves until it is killed."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # else it asks the world
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield Running(process.pid, way)
        finally:
            process.kill()


async def answered(make: Callable[[], Way]) -> None:
    """Wait until the way answers; RuntimeError with its last error where it never does."""
    end = time.monotonic() + START_SECONDS
    while True:
        way = make()
        try:
            async with asyncio.timeout(HANGING_SECONDS):
                await way.ask("are you there")
                return
        except (
            OSError,
            EOFError,
            RuntimeError,
            KeyError,
            ValueError,
            grpc.aio.AioRpcError,
        ) as error:
            if time.monotonic() > end:
                raise RuntimeError(f"it does not answer: {str(error)[:200]}") from error
        finally:
            await way.close()
        await asyncio.sleep(0.2)


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
