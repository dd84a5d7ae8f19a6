"""What brings the models of one kind of source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.pulled import PulledModel

ProgressListener = Callable[[PullProgress], None]
"""Called on the event loop. ``done`` is not for fetchers to say."""

S_contra = TypeVar("S_contra", contravariant=True)


class Fetcher(Protocol[S_contra]):
    """One kind of source. Belongs to one event loop."""

    async def fetch(self, source: S_contra, on_progress: ProgressListener) -> PulledModel:
        """Bring what is missing, and say what is there then.

        A RouterError, or cancelling it, leaves nothing but beginnings of downloads.
        """
        ...

    def find(self, source: S_contra) -> PulledModel | None:
        """What is here already, by a look at the disk and none at the network."""
        ...
