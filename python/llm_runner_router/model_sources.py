"""What brings models to this machine and into memory, and how it hangs together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_runner_router.config import Config, ModelsConfig
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.loader import SourceLoader
from llm_runner_router.registry.sources.download import Downloader
from llm_runner_router.registry.sources.https import HttpsFetcher
from llm_runner_router.registry.sources.hub import HubFetcher
from llm_runner_router.registry.sources.local import FileFetcher
from llm_runner_router.registry.sources.ollama import OllamaFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.weights_finder import WeightsFinder

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True, slots=True)
class ModelSources:
    """Belongs to one event loop. Close it after everything that uses it."""

    pool: HttpPool
    pulls: Pulls
    loader: SourceLoader

    @classmethod
    def of(cls, config: Callable[[], Config], folder: Path) -> ModelSources:
        """For models whose relative paths start from ``folder``."""
        pool = HttpPool()
        pulls = pulls_of(config().models, folder, pool)
        files = WeightsFinder(pulls, folder, lambda: config().models.auto_download)
        loader = SourceLoader(
            config().engine, files, pool, lambda: config().performance.max_concurrent
        )
        return cls(pool, pulls, loader)

    async def close(self) -> None:
        """End pulls and connections. May be called more than once."""
        await self.pulls.close()
        await self.pool.close()


def pulls_of(models: ModelsConfig, folder: Path, pool: HttpPool) -> Pulls:
    """A fetcher for each kind of source; downloads lie in the configured folder."""
    cache = folder / models.cache_dir
    store = None if models.ollama_dir is None else folder / models.ollama_dir

    def session() -> aiohttp.ClientSession:
        return pool.aiohttp

    downloader = Downloader(session)
    return Pulls(
        {
            "file": FileFetcher(folder),
            "https": HttpsFetcher(downloader, cache),
            "hf": HubFetcher(downloader, cache),
            "ollama": OllamaFetcher(downloader, session, cache, store),
        },
        cache,
    )
