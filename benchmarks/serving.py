"""What our service costs beyond bare gRPC: the time of a call, and streamed messages a second."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import grpc

from benchmarks.comparison import Comparison, take_turns
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from benchmarks.patience import Watch

NAMES = ("serving-unary", "serving-stream")
PEER = "bare gRPC"
HANGING_SECONDS = 60.0


@dataclass(frozen=True)
class Size:
    """How much one run does."""

    calls: int = 300
    streams: int = 32
    words: int = 200


SMALL = Size(calls=10, streams=4, words=10)


class Client:
    """A client with one channel; its calls block."""

    def __init__(self, loop: asyncio.Runner, address: str) -> None:
        self._loop = loop
        self._address = address

    def call_ms(self, size: Size) -> float:
        """The median of calls one after the other, in milliseconds."""
        return self._loop.run(self._call_ms(size))

    def messages_a_second(self, size: Size) -> float:
        """All messages of streams that run at once, by the time of all."""
        return self._loop.run(self._messages_a_second(size))

    async def _call_ms(self, size: Size) -> float:
        request = router_pb2.ProcessRequest(prompt="hello", max_tokens=1)
        times = []
        async with self._router() as router:
            for _ in range(size.calls):
                begin = time.perf_counter()
                answer = await router.Process(request, timeout=HANGING_SECONDS)
                times.append((time.perf_counter() - begin) * 1e3)
                if answer.response != "hello":
                    raise RuntimeError(f"the answer is {answer.response!r}")
        return median(times)

    async def _messages_a_second(self, size: Size) -> float:
        request = router_pb2.ProcessRequest(prompt=" ".join(["word"] * size.words))
        async with self._router() as router:

            async def count() -> int:
                stream = router.ProcessStream(request, timeout=HANGING_SECONDS)
                return len([message async for message in stream])

            begin = time.perf_counter()
            messages = sum(await asyncio.gather(*(count() for _ in range(size.streams))))
            return messages / (time.perf_counter() - begin)

    @asynccontextmanager
    async def _router(self) -> AsyncIterator[router_pb2_grpc.RouterAsyncStub]:
        async with grpc.aio.insecure_channel(self._address) as channel:
            yield router_pb2_grpc.RouterStub(channel)


@dataclass(frozen=True)
class Services:
    """Ours and the bare one, in one process."""

    ours: Client
    bare: Client
    process: int

    def compare(self, name: str, runs: int, size: Size, watch: Watch) -> Comparison:
        """One of NAMES."""
        if name == "serving-unary":
            about = f"a unary call through the echo, median of {size.calls}"
            measured = take_turns(
                runs, lambda _: self.ours.call_ms(size), lambda _: self.bare.call_ms(size), watch
            )
            return Comparison(name, about, "ms", "less", PEER, *measured)
        about = f"{size.streams} streams at once, {size.words} messages each"
        measured = take_turns(
            runs,
            lambda _: self.ours.messages_a_second(size),
            lambda _: self.bare.messages_a_second(size),
            watch,
        )
        return Comparison(name, about, "messages/s", "more", PEER, *measured)


@contextmanager
def services() -> Iterator[Services]:
    """Start both, and end them."""
    host = Path(__file__).with_name("serving_host.py")
    with subprocess.Popen(
        [sys.executable, str(host)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            addresses = process.stdout.readline().split()
            if len(addresses) != 2:
                raise RuntimeError("the services did not start")
            with asyncio.Runner() as loop:
                ours, bare = (Client(loop, address) for address in addresses)
                yield Services(ours, bare, process.pid)
        finally:
            process.kill()
