"""What tests of Ollama's models share: a registry, a store, and a fetcher of both."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from integration.upstreams.ollama_registry_server import OllamaRegistryServer
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import OllamaSource, parse_source
from llm_runner_router.registry.sources.web.download import Downloader


def weights(seed: int, size: int = 600_000) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size)


MODEL = weights(1)


class Ollama:
    """A registry, the store of Ollama itself, and a fetcher that knows both."""

    def __init__(self, server: OllamaRegistryServer, folder: Path, pool: HttpPool) -> None:
        self.server = server
        self.cache = folder / "cache"
        self.store = OllamaFolder(folder / "theirs")
        downloader = Downloader(lambda: pool.aiohttp, pause=no_pause)
        self.fetcher = OllamaFetcher(
            downloader, lambda: pool.aiohttp, self.cache, self.store.folder
        )
        self.pulls = Pulls({"ollama": self.fetcher}, self.cache)
        self.told: list[PullProgress] = []

    @property
    def source(self) -> str:
        return f"ollama://{self.server.host}/library/tiny"

    async def pull(self, source: str | None = None) -> PulledModel:
        return await self.pulls.pull(source or self.source, self.told.append)

    def find(self, source: str | None = None) -> PulledModel | None:
        parsed = parse_source(source or self.source)
        assert isinstance(parsed, OllamaSource)
        return self.fetcher.find(parsed)

    @property
    def below(self) -> set[str]:
        folder = self.cache / "ollama"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def no_pause(_: float) -> None:
    pass


@asynccontextmanager
async def running_ollama(folder: Path) -> AsyncIterator[Ollama]:
    pool = HttpPool()
    async with OllamaRegistryServer().running() as server:
        yield Ollama(server, folder, pool)
    await pool.close()


def whole_model() -> OllamaFiles:
    files = OllamaFiles(MODEL)
    files.add("template", "{{ .System }} {{ .Prompt }}").add("system", "Be brief.")
    return files.add("params", {"temperature": 0.5, "stop": ["<|end|>"]}).add("license", "MIT")


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What a folder holds and when it was written."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            path.stat().st_size,
        )
        for path in [folder, *folder.rglob("*")]
    }
