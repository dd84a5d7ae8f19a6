"""200 files with something wrong in them: an error or an answer, and the service lives."""

from __future__ import annotations

import itertools
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from integration.hostile_files import MUTATIONS, Layout
from integration.processes import ServiceProcess, service_process
from llm_runner_router.v1 import (
    registry_pb2,
    registry_pb2_grpc,
    router_pb2,
    router_pb2_grpc,
    types_pb2,
)
from unit import tiny_model

FILES = 200
SHRINKING = FILES - sum(count for _, count in MUTATIONS.values())
TOKENS = 8
PAGE = os.sysconf("SC_PAGESIZE")
SECONDS = 30.0
"""In which each call must have ended, however slow the machine is."""

MEMORY = 256 << 20
"""Bytes that all the files together may add to the service's memory."""

REFUSALS = {
    (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_FILE_INVALID"),
    (grpc.StatusCode.INVALID_ARGUMENT, "CONTEXT_LENGTH_EXCEEDED"),  # a context too short
    (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),  # text that the vocabulary lacks
}


@dataclass
class Victim:
    """A service in a process of its own, and what has become of the files."""

    service: ServiceProcess
    router: router_pb2_grpc.RouterAsyncStub
    registry: registry_pb2_grpc.RegistryAsyncStub
    folder: Path
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def register(self, name: str, path: Path) -> None:
        model = registry_pb2.Model(id=name, format=registry_pb2.MODEL_FORMAT_GGUF, source=str(path))
        await self.registry.RegisterModel(
            registry_pb2.RegisterModelRequest(model=model), timeout=SECONDS
        )

    async def forget(self, name: str) -> None:
        await self.registry.UnloadModel(registry_pb2.UnloadModelRequest(id=name), timeout=SECONDS)
        await self.registry.UnregisterModel(
            registry_pb2.UnregisterModelRequest(id=name), timeout=SECONDS
        )

    async def good_answer(self) -> list[int]:
        answer = await self.router.Process(request("good"), timeout=SECONDS)
        assert len(answer.token_ids) == TOKENS
        return list(answer.token_ids)

    async def meet(self, kind: str, content: bytes, use: Use) -> None:
        """Run a file: an answer, or one of the refusals."""
        path = self.folder / "hostile.gguf"
        path.write_bytes(content)
        await self.register("hostile", path)
        try:
            await use(self, path)
        except grpc.aio.AioRpcError as error:
            outcome = (error.code(), reason_of(error))
            if outcome not in REFUSALS or not error.details():
                raise
            self.outcomes[kind, "refused"] += 1
        else:
            self.outcomes[kind, "answered"] += 1
        await self.forget("hostile")
        path.unlink()


Use = Callable[[Victim, Path], Awaitable[None]]


async def answered(victim: Victim, _path: Path) -> None:
    """Eight tokens, or as many as the context has room for."""
    answer = await victim.router.Process(request("hostile"), timeout=SECONDS)
    wanted = registry_pb2.GetModelRequest(id="hostile")
    context = (await victim.registry.GetModel(wanted)).model.details.context_length
    assert len(answer.token_ids) == min(TOKENS, context - answer.metrics.prompt_tokens)


async def cut_when_loaded(victim: Victim, path: Path, end: int) -> None:
    load = victim.registry.LoadModel(registry_pb2.LoadModelRequest(id="hostile"), timeout=SECONDS)
    while await load.read() is not grpc.aio.EOF:
        pass
    os.truncate(path, end)
    await answered(victim, path)


async def cut_while_generating(victim: Victim, path: Path, end: int) -> None:
    # Long enough that the client's window is full and the answer waits for the cut.
    wanted = request("hostile", max_tokens=200, logprobs=20)
    stream = victim.router.ProcessStream(wanted, timeout=SECONDS)
    assert (await stream.read()).HasField("started")
    os.truncate(path, end)
    while await stream.read() is not grpc.aio.EOF:
        pass


def request(
    model: str, *, max_tokens: int = TOKENS, logprobs: int | None = None
) -> router_pb2.ProcessRequest:
    return router_pb2.ProcessRequest(
        prompt="hello world",
        model=model,
        max_tokens=max_tokens,
        temperature=0,
        cache=router_pb2.CacheControl(mode=types_pb2.CACHE_MODE_BYPASS),  # it is to be computed
        ignore_eos=True,
        logprobs=logprobs,
    )


def reason_of(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    found = status is not None and any(packed.Unpack(info) for packed in status.details)
    return info.reason if found else ""


@asynccontextmanager
async def victim(folder: Path) -> AsyncIterator[Victim]:
    """A service that knows one good model, whose output is read so that it never blocks."""
    config = folder / "config.json"
    config.write_text(json.dumps({"engine": {"threads": 1}, "logging": {"level": "error"}}))
    arguments = ("-m", "llm_runner_router.cli", "serve", "--port", "0", "--config", str(config))
    async with (
        service_process(*arguments, "--data", str(folder / "data")) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        registry = registry_pb2_grpc.RegistryStub(channel)
        found = Victim(service, router, registry, folder)
        await found.register("good", tiny_model.write(folder / "good.gguf"))
        yield found


def memory(service: ServiceProcess, kind: str) -> int:
    """Bytes of a process, as /proc says them."""
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(f"{kind}:"))
    return int(found.split()[1]) << 10


async def test_no_file_ends_the_service(tmp_path: Path) -> None:
    async with victim(tmp_path) as service:
        expected = await service.good_answer()
        before = memory(service.service, "VmHWM")
        layout = Layout.of(tmp_path / "good.gguf")
        numbers = itertools.count(1)
        for kind, (mutate, count) in MUTATIONS.items():
            for number in itertools.islice(numbers, count):
                await service.meet(kind, mutate(layout, random.Random(number)), answered)
        for number in itertools.islice(numbers, SHRINKING):
            # The last page keeps what lies before its end, so that nothing may be missed.
            end = random.Random(number).randrange(len(layout.content) - 2 * PAGE)
            cut = cut_when_loaded if number % 2 else cut_while_generating
            await service.meet(cut.__name__, layout.content, partial(cut, end=end))
        assert await service.good_answer() == expected
        assert memory(service.service, "VmHWM") - before < MEMORY
        outcomes = service.outcomes
    assert outcomes.total() == FILES
    for kind in ("header", "cut", "cut_when_loaded", "cut_while_generating"):
        assert not outcomes[kind, "answered"], "a damaged file was run"
    for kind in ("added value", "weights", "metadata value"):
        assert outcomes[kind, "answered"], "no file of this kind was run"
        assert outcomes[kind, "refused"], "no file of this kind was refused"
