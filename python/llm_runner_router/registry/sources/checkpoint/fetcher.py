"""Models of format ``hf``: checkpoints of this machine or of the hub, converted once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llm_runner_router.registry.sources.checkpoint.source import CheckpointSource
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import HubSource
from llm_runner_router.registry.sources.threads import in_thread

if TYPE_CHECKING:
    from llm_runner_router.registry.sources.checkpoint.conversion import Conversions


class CheckpointFetcher:
    """See Fetcher. ``folder`` anchors paths; ``hub`` brings the files of checkpoints.

    ``conversions`` is asked where one is needed: what converts takes long to import.
    """

    def __init__(
        self, folder: Path, hub: HubFetcher, conversions: Callable[[], Conversions]
    ) -> None:
        self._folder = folder
        self._hub = hub
        self._conversions = conversions

    async def fetch(self, source: CheckpointSource, on_progress: ProgressListener) -> PulledModel:
        """The file that the checkpoint becomes; see ``Conversions.run``."""
        notes: Sequence[str] = ()
        if isinstance(source.origin, HubSource):
            brought = await self._hub.fetch(source.origin, on_progress)
            folder, notes = brought.path.parent, brought.notes
        else:
            folder = self._folder / source.origin.path
        conversions = await in_thread(self._conversions)
        made = await conversions.run(folder, source.quantization, on_progress)
        return replace(made, notes=(*notes, *made.notes))

    def find(self, source: CheckpointSource) -> PulledModel | None:
        """See Fetcher."""
        if isinstance(source.origin, HubSource):
            brought = self._hub.find(source.origin)
            folder = None if brought is None else brought.path.parent
        else:
            folder = self._folder / source.origin.path
        return None if folder is None else self._conversions().find(folder, source.quantization)
