"""The loader of the service: from a record to a provider that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType

from llm_runner_router.errors import EngineError, UnsupportedError
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.engine_threads import prepare_engine
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import known
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.registry.records import LoadProgress, MemoryEstimate, ModelRecord
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.weights_finder import WeightsFinder
from llm_runner_router.types import ModelFormat

API_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "openai": ("openai", "OpenAIProvider"),
    "anthropic": ("anthropic", "AnthropicProvider"),
    "ollama": ("ollama", "OllamaProvider"),
    "remote": ("remote", "RemoteProvider"),
    "any-llm": ("any_llm", "AnyLlmProvider"),
    "echo": ("echo", "EchoProvider"),
}
"""The module and the class that speak each kind of API."""


class SourceLoader:
    """Finds a record's weights and starts what runs them, or what asks the provider for answers.

    ``files`` finds the weights, ``pool`` holds the connections of all providers, and ``service``
    says how models run here. Belongs to one event loop.
    """

    def __init__(
        self,
        files: WeightsFinder,
        pool: HttpPool,
        service: LocalService,
        max_sequences: Callable[[], int],
    ) -> None:
        self._files = files
        self._pool = pool
        self._service = service
        self._max_sequences = max_sequences

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        """See ModelLoader."""
        if record.format is ModelFormat.API:
            return await self._open(record)
        return await self._run(record, on_progress)

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        """See ModelLoader. Reads the headers of the files."""
        if record.format is ModelFormat.API:
            return None
        engine = await engine_module("local_model")
        options = self._options(engine, await self._files.find(record), record)
        found: MemoryEstimate = await asyncio.to_thread(engine.estimate, options)
        return found

    async def fetch(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> ModelRecord:
        """See ModelLoader; but the record stays as it is."""
        await self._files.bring(record, on_progress)
        return record

    async def _open(self, record: ModelRecord) -> Provider:
        """What asks the record's provider; it connects with its first request."""
        module, name = API_PROVIDERS[known(record.provider).kind]
        try:
            provider = getattr(await imported(f"llm_runner_router.providers.{module}"), name)
        except ImportError as error:
            message = f"provider {record.provider} needs a library that is not installed: {error}"
            raise UnsupportedError(message) from None
        # Not on the event loop: a key may lie in a file.
        opened: Provider = await asyncio.to_thread(provider.open, record, self._pool)
        return opened

    async def _run(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        """What runs the record's files in this process."""
        found, begun = await self._files.bring(record, on_progress)
        engine = await engine_module("local")

        def report(step: LoadProgress) -> None:
            on_progress(LoadProgress(step.phase, begun + (1.0 - begun) * step.fraction))

        provider: Provider = await engine.LocalProvider.load(
            self._options(engine, found, record), report
        )
        return provider

    def _options(self, engine: ModuleType, found: PulledModel, record: ModelRecord) -> object:
        places = record.limits.concurrent_requests or self._max_sequences()
        most = min(places, self._max_sequences())
        options = engine.LocalOptions.of(found.path, record, self._service, most)
        return options.with_adapters(found.adapters)


async def engine_module(name: str) -> ModuleType:
    """A module that uses the engine, imported on its first use."""
    prepare_engine()
    try:
        return await imported(f"llm_runner_router.providers.{name}")
    except ImportError as error:
        raise EngineError(f"the engine of this installation cannot be used: {error}") from None


async def imported(module: str) -> ModuleType:
    """A module, imported late, since nobody needs all of them, and not on the event loop."""
    return await asyncio.to_thread(import_module, module)
