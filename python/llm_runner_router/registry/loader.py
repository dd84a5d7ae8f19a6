"""The loader of the service: from a record to a provider that answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

from llm_runner_router.config import EngineConfig
from llm_runner_router.errors import EngineError, UnsupportedError
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.known import known
from llm_runner_router.registry.records import LoadProgress, ModelRecord
from llm_runner_router.registry.sources.file import absolute_path, checked_file
from llm_runner_router.types import ModelFormat

SPIN_VARIABLE, SPIN_COUNT = "GOMP_SPINCOUNT", "1000"
"""How long OpenMP's threads spin where they wait for each other: some ten microseconds.

Its own default spins for milliseconds, and on a machine that has other work to do a step then
takes as long as the thread that was preempted. It is read once, when the extension is loaded.
"""


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

    ``folder`` anchors relative paths. It owns the connections of all providers: close it after
    them. Belongs to one event loop.
    """

    def __init__(
        self, engine: EngineConfig, folder: Path, max_sequences: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._max_sequences = max_sequences
        self._pool = HttpPool()

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        """See ModelLoader."""
        if record.format is ModelFormat.API:
            return await self._open(record)
        if record.format is not ModelFormat.GGUF:
            raise UnsupportedError(f"{record.format.value} models cannot be run by this version")
        return await self._run(record, on_progress)

    async def close(self) -> None:
        """End all connections to providers. May be called more than once."""
        await self._pool.close()

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
        """What runs the record's file in this process."""
        path = absolute_path(record.source, self._folder)
        checked_file(path)
        os.environ.setdefault(SPIN_VARIABLE, SPIN_COUNT)
        try:
            local = await imported("llm_runner_router.providers.local")
        except ImportError as error:
            raise EngineError(f"the engine of this installation cannot be used: {error}") from None
        options = local.LocalOptions.of(path, record, self._engine, self._max_sequences())
        provider: Provider = await local.LocalProvider.load(options, on_progress)
        return provider


async def imported(module: str) -> ModuleType:
    """A module, imported late, since nobody needs all of them, and not on the event loop."""
    return await asyncio.to_thread(import_module, module)
