"""What tests of the hub share: a server, and a fetcher that asks it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from integration.upstreams.hub_server import HubServer
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import HubSource, parse_source
from llm_runner_router.registry.sources.web.download import Downloader

REPOSITORY = "org/Tiny-GGUF"
NEW_COMMIT = "d" * 40


def weights(seed: int, size: int = 600_000) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size)


MODEL = weights(1)


class Hub:
    """A server, and a fetcher that asks it."""

    def __init__(self, server: HubServer, folder: Path, downloader: Downloader) -> None:
        self.server = server
        self.cache = folder / "cache"
        self.theirs = folder / "theirs"
        self.environment = {"HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(self.theirs)}
        self.fetcher = HubFetcher(downloader, self.cache, self.environment)
        self.pulls = Pulls({"hf": self.fetcher}, self.cache)
        self.told: list[PullProgress] = []

    async def pull(self, source: str = f"hf://{REPOSITORY}") -> Path:
        return (await self.pulls.pull(source, self.told.append)).path

    def find(self, source: str = f"hf://{REPOSITORY}") -> Path | None:
        found = self.fetcher.find(parsed(source))
        return None if found is None else found.path

    @property
    def folder(self) -> Path:
        return self.cache / "huggingface" / "models--org--Tiny-GGUF"


def parsed(source: str) -> HubSource:
    found = parse_source(source)
    assert isinstance(found, HubSource)
    return found


async def no_pause(_: float) -> None:
    pass


@asynccontextmanager
async def running_hub(folder: Path) -> AsyncIterator[Hub]:
    pool = HttpPool()
    async with HubServer().running() as server:
        yield Hub(server, folder, Downloader(lambda: pool.aiohttp, pause=no_pause))
    await pool.close()


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
