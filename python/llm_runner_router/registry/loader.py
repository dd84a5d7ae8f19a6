"""The loader of the service: from a record to a provider that answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from llm_runner_router.config import EngineConfig
from llm_runner_router.errors import EngineError, UnsupportedError
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.records import LoadProgress, ModelRecord
from llm_runner_router.registry.sources.file import absolute_path, checked_file
from llm_runner_router.types import ModelFormat

SPIN_VARIABLE, SPIN_COUNT = "GOMP_SPINCOUNT", "1000"
"""How long OpenMP's threads spin where they wait for each other: some ten microseconds.

Its own default spins for milliseconds, and on a machine that has other work to do a step then
takes as long as the thread that was preempted. It is read once, when the extension is loaded.
"""


class SourceLoader:
    """Finds a record's weights and starts what runs them. ``folder`` anchors relative paths."""

    def __init__(
        self, engine: EngineConfig, folder: Path, max_sequences: Callable[[], int]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._max_sequences = max_sequences

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        """See ModelLoader."""
        if record.format is not ModelFormat.GGUF:
            raise UnsupportedError(f"{record.format.value} models cannot be run by this version")
        path = absolute_path(record.source, self._folder)
        checked_file(path)
        # Imported late, since whoever loads no model needs no extension, and not on the event loop.
        os.environ.setdefault(SPIN_VARIABLE, SPIN_COUNT)
        try:
            local = await asyncio.to_thread(import_module, "llm_runner_router.providers.local")
        except ImportError as error:
            raise EngineError(f"the engine of this installation cannot be used: {error}") from None
        options = local.LocalOptions.of(path, record, self._engine, self._max_sequences())
        provider: Provider = await local.LocalProvider.load(options, on_progress)
        return provider
