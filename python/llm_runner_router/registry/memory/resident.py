"""A model that is in memory, on its way there, or on its way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.records import LoadProgress, ModelRecord
from llm_runner_router.types import ModelFormat

ProgressListener = Callable[[LoadProgress], None]


class Resident:
    """What is known of one load of a model, from its beginning until the memory is free again.

    ``users`` counts the requests that run on it, ``waiting`` those that wait for its load. Times
    are those of the event loop.
    """

    def __init__(self, record: ModelRecord) -> None:
        self.record = record
        self.users = 0
        self.waiting = 0
        self.loaded_at = 0.0
        self.used_at = 0.0
        self.unused = asyncio.Event()
        self.unused.set()
        self.gone = asyncio.Event()
        self.loading: asyncio.Task[Provider]
        self.eviction: asyncio.Task[None] | None = None
        self._listeners: list[ProgressListener] = []
        self._progress: LoadProgress | None = None
        self._given_up = False
        self._ending: asyncio.TimerHandle | None = None

    @property
    def model(self) -> str:
        """The id of the model."""
        return self.record.id

    @property
    def remote(self) -> bool:
        """Whether it runs elsewhere, so that a new one need not wait until its memory is free."""
        return self.record.format is ModelFormat.API

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out."""
        return self.eviction is not None

    @property
    def settled(self) -> bool:
        """Whether it is loaded, stays, and all who waited for that have it."""
        return self.provider is not None and self.waiting == 0 and not self.leaving

    @property
    def provider(self) -> Provider | None:
        """What answers, once it is loaded."""
        done = self.loading.done() and not self.loading.cancelled()
        return self.loading.result() if done and self.loading.exception() is None else None

    async def outcome(self) -> Provider | None:
        """The provider once the load has ended, ``None`` where it failed."""
        await asyncio.wait([self.loading])
        return self.provider

    @contextmanager
    def awaited(self, listener: ProgressListener | None) -> Iterator[None]:
        """Count somebody who waits for the load, and tell ``listener`` how far it is."""
        self.waiting += 1
        if listener is not None:
            self._listeners.append(listener)
            if self._progress is not None:
                listener(self._progress)
        try:
            yield
        finally:
            self.waiting -= 1
            if listener is not None:
                self._listeners.remove(listener)

    def report(self, progress: LoadProgress) -> None:
        """Tell everybody who waits for the load; a second attempt does not fall behind."""
        reached = 0.0 if self._progress is None else self._progress.fraction
        self._progress = LoadProgress(progress.phase, max(progress.fraction, reached))
        for listener in tuple(self._listeners):
            listener(self._progress)

    def loaded(self) -> None:
        """It is loaded, and counts as used until now."""
        self.loaded_at = self.used_at = asyncio.get_running_loop().time()

    def enter(self) -> None:
        """Count a running request."""
        self.users += 1
        self.unused.clear()

    def leave(self) -> None:
        """A running request has ended."""
        self.users -= 1
        if self.users == 0:
            self.used_at = asyncio.get_running_loop().time()
            self.unused.set()

    def give_up(self) -> None:
        """Cancel the load, once: it may need a while to leave nothing behind."""
        if not self._given_up:
            self._given_up = True
            self.loading.cancel()

    def end(self) -> None:
        """Let it go at once where it is leaving, whatever still loads or runs."""
        self.unused.set()
        if not self.loading.done():
            self.give_up()

    def end_in(self, seconds: float) -> None:
        """Call ``end`` after some time, unless it is gone by then or an earlier time is set."""
        loop = asyncio.get_running_loop()
        when = loop.time() + seconds
        if self._ending is None or when < self._ending.when():
            self._forget_ending()
            self._ending = loop.call_at(when, self.end)

    def vanish(self) -> None:
        """Tell that it is gone."""
        self._forget_ending()
        self.gone.set()

    def _forget_ending(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
