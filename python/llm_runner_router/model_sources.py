"""What brings models to this machine and into memory, and how it hangs together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from llm_runner_router.config.tree import Config, ModelsConfig
from llm_runner_router.providers.engine_threads import prepare_engine
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.kv_snapshots import KvSnapshots
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.registry.loader import SourceLoader
from llm_runner_router.registry.memory.available import available_memory
from llm_runner_router.registry.sources.checkpoint.fetcher import CheckpointFetcher
from llm_runner_router.registry.sources.checkpoint.files import CHECKPOINT
from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.local import FileFetcher
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.web.download import Downloader
from llm_runner_router.registry.sources.web.fetcher import HttpsFetcher
from llm_runner_router.registry.weights_finder import WeightsFinder

if TYPE_CHECKING:
    import aiohttp

    from llm_runner_router.registry.sources.checkpoint.conversion import Conversions


MEMORY_SHARE = 0.8
"""Of the memory that is free at the start, what models may take unless the limit is given."""

KV_PART = 4
"""The part of it that the KV cache of one model may take unless the limit is given."""


@dataclass(frozen=True, slots=True)
class ModelSources:
    """Belongs to one event loop. Close it after everything that uses it.

    ``memory_bytes`` is what all models that run here may take together.
    """

    pool: HttpPool
    pulls: Pulls
    loader: SourceLoader
    memory_bytes: int

    @classmethod
    def of(cls, config: Callable[[], Config], folder: Path) -> ModelSources:
        """For models whose relative paths start from ``folder``."""
        pool = HttpPool()
        pulls = pulls_of(config().models, folder, pool)
        files = WeightsFinder(pulls, folder, lambda: config().models.auto_download)
        memory = config().models.memory_bytes or int(MEMORY_SHARE * available_memory())
        service = LocalService(
            config().engine, memory // KV_PART, snapshots_of(config().models, folder)
        )
        loader = SourceLoader(files, pool, service, lambda: config().performance.max_concurrent)
        return cls(pool, pulls, loader, memory)

    async def close(self) -> None:
        """End pulls and connections. May be called more than once."""
        await self.pulls.close()
        await self.pool.close()


def snapshots_of(models: ModelsConfig, folder: Path) -> KvSnapshots | None:
    """Where KV is kept, if it is."""
    if not models.kv_snapshot_bytes:
        return None
    return KvSnapshots(folder / models.cache_dir / "kv", models.kv_snapshot_bytes)


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
            "checkpoint": CheckpointFetcher(
                folder,
                HubFetcher(downloader, cache, choice=CHECKPOINT),
                lambda: conversions_of(cache),
            ),
            "ollama": OllamaFetcher(downloader, session, cache, store),
        },
        cache,
    )


def conversions_of(cache: Path) -> Conversions:
    """What makes models of checkpoints; imported on its first use."""
    conversion = import_module("llm_runner_router.registry.sources.checkpoint.conversion")
    found: Conversions = conversion.Conversions(cache, quantized)
    return found


def quantized(
    source: Path, target: Path, kind: str, on_progress: Callable[[str, float], None]
) -> None:
    """See ``Quantize``. Blocks; the core is imported on its first use."""
    prepare_engine()
    quantizing = import_module("llm_runner_router.inspection.quantizing")
    quantizing.quantize(quantizing.Quantization(source, target, kind), on_progress)
