"""Pulls of several files whose process is killed in the middle."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from integration import pull_until_killed
from integration.processes import ROOT
from integration.upstreams.content_server import ContentServer
from integration.upstreams.hub_server import HubServer
from integration.upstreams.ollama_registry_server import OllamaRegistryServer
from integration.upstreams.ollama_store import OllamaFiles
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.web.download import Downloader

KILLS = 50
SHARDS = {
    f"m-0000{index}-of-00002.gguf": b"GGUF" + random.Random(index).randbytes(12_000_000)
    for index in (1, 2)
}
MODEL = OllamaFiles(b"GGUF" + random.Random(4).randbytes(8_000_000))
MODEL.add("system", "Be brief.").add("params", {"top_k": 5}).add("license", "MIT")


class Killer:
    """A process that forks one pull after another, and how long the last whole one took."""

    def __init__(self, process: asyncio.subprocess.Process, server: ContentServer) -> None:
        self._process = process
        self._server = server
        self.seconds = 0.0

    async def pull(self, seconds: float | None, *, pieces: int = 2**30) -> bool:
        """Whether a pull came to its end before it was killed.

        That is after some seconds, or once the server has sent so much.
        """
        self._server.served.completion_tokens = 0
        assert self._process.stdin is not None
        begun = time.monotonic()
        self._process.stdin.write(b"go\n")
        child = int(await self._line())
        ending = asyncio.create_task(self._line())
        sent = self._server.until(lambda server: server.served.completion_tokens >= pieces)
        sending = asyncio.create_task(sent)
        both = (ending, sending)
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        if not ending.done():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(child, signal.SIGKILL)
        status = int((await ending).split()[1])
        assert status in (0, signal.SIGKILL)
        if status == 0:
            self.seconds = time.monotonic() - begun
        return status == 0

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line
        return line.decode()


@asynccontextmanager
async def killer(
    server: ContentServer, source: str, cache: Path, environment: Mapping[str, str]
) -> AsyncIterator[Killer]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, pull_until_killed.__file__, source, str(cache)),
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT / "python")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Killer(process, server)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def kill_many(
    server: ContentServer,
    source: str,
    cache: Path,
    environment: Mapping[str, str],
    expected: Mapping[str, bytes],
) -> None:
    """Kill pulls at random moments. What is found afterwards is the whole model."""
    choice, pool = random.Random(50), HttpPool()
    downloader = Downloader(lambda: pool.aiohttp)
    pulls = Pulls(
        {
            "hf": HubFetcher(downloader, cache, environment),
            "ollama": OllamaFetcher(downloader, lambda: pool.aiohttp, cache, cache / "none"),
        },
        cache,
    )
    killed = 0
    async with killer(server, source, cache, environment) as killing:
        assert await killing.pull(None)
        shutil.rmtree(cache)
        pieces = sum(map(len, expected.values())) // server.piece
        for index in range(KILLS):
            if index % 2:
                ended = await killing.pull(choice.random() * killing.seconds)
            else:
                ended = await killing.pull(None, pieces=choice.randrange(pieces))
            killed += not ended
            found = pulls.find(source)
            assert found is not None or not ended
            if found is not None:
                names = expected if len(expected) > 1 else {found.path.name: found.path}
                for name, content in zip(names, expected.values(), strict=True):
                    assert found.path.with_name(name).read_bytes() == content
                shutil.rmtree(cache)
        assert await killing.pull(None)
        assert pulls.find(source) is not None
    await pool.close()
    assert killed > KILLS // 5


@pytest.mark.slow
async def test_a_killed_pull_from_the_hub_leaves_no_half_a_set(tmp_path: Path) -> None:
    async with HubServer(piece=2**16).running() as server:
        server.add("org/m", dict(SHARDS))
        environment = {"HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(tmp_path / "theirs")}
        await kill_many(server, "hf://org/m", tmp_path / "cache", environment, SHARDS)
        assert resumed(server) > 0


@pytest.mark.slow
async def test_a_killed_pull_from_ollama_leaves_no_half_a_model(tmp_path: Path) -> None:
    async with OllamaRegistryServer(piece=2**16).running() as server:
        server.add(MODEL)
        source = f"ollama://{server.host}/library/tiny"
        await kill_many(server, source, tmp_path / "cache", {}, {"weights": MODEL.weights})
        assert resumed(server) > 0


def resumed(server: ContentServer) -> int:
    """How many requests went on behind what was there."""
    return sum(text is not None for text in server.ranges)
