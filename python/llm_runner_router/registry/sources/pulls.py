"""Models being pulled: each once, however many want it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_runner_router.errors import SourceError, UnavailableError, UnsupportedError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.checkpoint.source import AnySource
from llm_runner_router.registry.sources.fetcher import Fetcher, ProgressListener
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import parse_source
from llm_runner_router.registry.sources.threads import ended

Fetchers = Mapping[str, Fetcher[Any]]
"""By the ``kind`` of the sources that each brings."""


class Pull:
    """A model on its way, and who waits for it."""

    def __init__(self) -> None:
        self.listeners: list[ProgressListener] = []
        self.latest = PullProgress("resolving")
        self.task: asyncio.Task[PulledModel]

    def report(self, progress: PullProgress) -> None:
        """Tell everybody who waits."""
        self.latest = progress
        for listener in tuple(self.listeners):
            listener(progress)


class Pulls:
    """Belongs to one event loop.

    Pulls of one model that overlap are one pull; it is abandoned when the last who waits for it
    gives up. ``cache`` is the folder that downloads must lie in.
    """

    def __init__(self, fetchers: Fetchers, cache: Path) -> None:
        self._fetchers = fetchers
        self._cache = cache
        self._running: dict[str, Pull] = {}
        self._closed = False

    def find(self, source: str | AnySource) -> PulledModel | None:
        """What is here already of a source, by a look at the disk alone."""
        parsed = parse_source(source) if isinstance(source, str) else source
        found = self._fetcher(parsed).find(parsed)
        return None if found is None else confined(found, self._cache)

    async def pull(
        self, source: str | AnySource, on_progress: ProgressListener = lambda _: None
    ) -> PulledModel:
        """Bring a model to this machine; ``on_progress`` is called on the event loop.

        It is told at once how far a pull has come that runs already, and ``done`` at the end.
        Errors are those of the fetchers; InvalidRequestError where ``source`` is none.
        """
        parsed = parse_source(source) if isinstance(source, str) else source
        while (pull := self._running.get(parsed.canonical)) is not None and not pull.listeners:
            await asyncio.wait([pull.task])  # abandoned, and not yet gone
        if self._closed:
            raise UnavailableError("the router is closed")
        if pull is None:
            pull = self._begin(parsed)
        return await self._wait(pull, on_progress)

    async def close(self) -> None:
        """End all pulls; who waits for one gets UnavailableError. May be called more than once."""
        self._closed = True
        tasks = [pull.task for pull in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, source: AnySource) -> Pull:
        pull = Pull()
        fetcher = self._fetcher(source)
        pull.task = asyncio.create_task(self._fetch(fetcher, source, pull))
        self._running[source.canonical] = pull
        pull.task.add_done_callback(lambda _: self._running.pop(source.canonical))
        return pull

    async def _fetch(self, fetcher: Fetcher[Any], source: AnySource, pull: Pull) -> PulledModel:
        found: PulledModel = await fetcher.fetch(source, pull.report)
        checked = await asyncio.to_thread(confined, found, self._cache)
        latest = pull.latest
        size = max(latest.total_bytes, latest.done_bytes)
        pull.report(PullProgress("done", latest.file, size, size, remaining_seconds=0.0))
        return checked

    async def _wait(self, pull: Pull, listener: ProgressListener) -> PulledModel:
        """The end of a pull; the last who leaves before ends it."""
        pull.listeners.append(listener)
        try:
            listener(pull.latest)
            await asyncio.wait([pull.task])
        finally:
            pull.listeners.remove(listener)
            if not pull.listeners and not pull.task.done():
                pull.task.cancel()
                await ended(pull.task)
        if pull.task.cancelled():
            raise UnavailableError("the pull was ended, since the router closes")
        return pull.task.result()

    def _fetcher(self, source: AnySource) -> Fetcher[Any]:
        try:
            return self._fetchers[source.kind]
        except KeyError:
            raise UnsupportedError(f"source: {source.kind} cannot be pulled here") from None


def confined(pulled: PulledModel, cache: Path) -> PulledModel:
    """``pulled``, if its files lie where they may, whatever links lead there; blocks."""
    folder = cache.resolve()
    if pulled.in_place or all(path.resolve().is_relative_to(folder) for path in pulled.files):
        return pulled
    raise SourceError("the file that was pulled lies outside of the folder of downloads")
