"""Which models are in memory: loaded on first use, kept while in use, unloaded on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from llm_runner_router.errors import ProviderRejectedError, UnavailableError
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.records import LoadProgress, ModelDetails, ModelRecord
from llm_runner_router.types import ModelFormat

ProgressListener = Callable[[LoadProgress], None]


class ModelLoader(Protocol):
    """Brings a model into memory."""

    async def load(self, record: ModelRecord, on_progress: ProgressListener) -> Provider:
        """The provider of ``record``; cancelling it, or a RouterError, leaves nothing behind.

        ``on_progress`` is called on the event loop.
        """
        ...


class Resident:
    """A model that is being loaded, is loaded, or is on its way out."""

    def __init__(self, record: ModelRecord) -> None:
        self.record = record
        self.listeners: list[ProgressListener] = []
        self.users = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self.gone = asyncio.Event()
        self.loading: asyncio.Task[Provider]
        self.eviction: asyncio.Task[None] | None = None
        self.waiting = 0

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
    def provider(self) -> Provider | None:
        """What answers, once it is loaded."""
        done = self.loading.done() and not self.loading.cancelled()
        return self.loading.result() if done and self.loading.exception() is None else None

    def report(self, progress: LoadProgress) -> None:
        """Tell everybody who waits for the load."""
        for listener in tuple(self.listeners):
            listener(progress)

    def enter(self) -> None:
        """Count a running request."""
        self.users += 1
        self.idle.clear()

    def leave(self) -> None:
        """A running request has ended."""
        self.users -= 1
        if self.users == 0:
            self.idle.set()


class Residency:
    """Belongs to one event loop.

    Loads of one model that overlap are one load; it is abandoned when the last who waits for it
    gives up. A model that is leaving finishes its requests first, and comes back by a new load. One
    whose provider has failed is loaded anew on its next use. So is a model behind an API whose
    record says otherwise by then, or whose provider has refused the key; requests that run on it
    finish meanwhile. ``find`` gives the present record of a model or raises; it is asked on each
    use, and again after each wait.
    """

    def __init__(self, loader: ModelLoader, find: Callable[[str], ModelRecord]) -> None:
        self._loader = loader
        self._find = find
        self._residents: dict[str, Resident] = {}
        self._replaced: set[Resident] = set()
        self._details: dict[str, ModelDetails] = {}
        self._closed = False

    def loaded(self, model: str) -> bool:
        """Whether requests for ``model`` need no load."""
        return self.provider(model) is not None

    def loaded_models(self) -> list[str]:
        """The ids of all that are in memory, sorted."""
        return sorted(model for model in self._residents if self.loaded(model))

    def provider(self, model: str) -> Provider | None:
        """The provider of a model that is in memory and stays there."""
        resident = self._residents.get(model)
        return None if resident is None or resident.leaving else resident.provider

    def busy(self, model: str) -> bool:
        """Whether requests run on ``model``."""
        return any(resident.users > 0 for resident in self._all_of(model))

    def details(self, model: str) -> ModelDetails:
        """What the last load of ``model`` has shown."""
        return self._details.get(model, ModelDetails())

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Provider]:
        """The provider of a model, loaded if need be, and kept while the block runs."""
        resident = await self._acquire(model, None)
        try:
            yield resident.loading.result()
        except ProviderRejectedError:
            # The key may be mended by now: it is read when a model is loaded.
            if resident.remote:
                self._replace(resident)
            raise
        finally:
            resident.leave()

    async def load(self, model: str, on_progress: ProgressListener | None = None) -> None:
        """Load a model and leave it in memory."""
        resident = await self._acquire(model, on_progress)
        resident.leave()

    async def unload(self, model: str) -> None:
        """Take a model out of memory once its requests are done. Not loaded: nothing happens."""
        residents = self._all_of(model)
        for resident in residents:
            self._send_away(resident)
        for resident in residents:
            await resident.gone.wait()

    def forget(self, model: str) -> None:
        """Drop the details of a model that is no longer registered."""
        self._details.pop(model, None)

    async def close(self) -> None:
        """Unload everything at once, whatever still runs."""
        self._closed = True
        residents = [*self._residents.values(), *self._replaced]
        for resident in residents:
            resident.idle.set()
            if not resident.loading.done():
                resident.loading.cancel()
        await asyncio.gather(*(self.unload(resident.model) for resident in residents))

    def _all_of(self, model: str) -> list[Resident]:
        """The resident of a model, and those that it has replaced and that still answer."""
        residents = [resident for resident in self._replaced if resident.model == model]
        present = self._residents.get(model)
        return residents if present is None else [*residents, present]

    async def _acquire(self, model: str, listener: ProgressListener | None) -> Resident:
        """A loaded resident that counts the caller as one of its users."""
        while True:
            if self._closed:
                raise UnavailableError("the router is closed")
            record = self._find(model)
            resident = self._residents.get(model)
            if resident is not None and outdated(resident.record, record):
                self._replace(resident)
                resident = None
            if resident is None:
                resident = self._begin(record)
            elif resident.provider is not None and not resident.provider.usable:
                self._send_away(resident)
            if resident.leaving:
                await resident.gone.wait()
                continue
            await self._loaded(resident, listener)
            if not resident.leaving:
                resident.enter()
                return resident

    def _begin(self, record: ModelRecord) -> Resident:
        resident = Resident(record)
        self._residents[record.id] = resident
        resident.loading = asyncio.ensure_future(self._load(resident, record))
        return resident

    async def _load(self, resident: Resident, record: ModelRecord) -> Provider:
        try:
            provider = await self._loader.load(record, resident.report)
        except BaseException:
            self._remove(resident)
            raise
        if self._residents.get(record.id) is resident:
            self._details[record.id] = provider.details
        return provider

    async def _loaded(self, resident: Resident, listener: ProgressListener | None) -> None:
        """Wait for a load; the last waiter to give up takes the load with it."""
        if resident.loading.done():
            resident.loading.result()
            return
        resident.waiting += 1
        if listener is not None:
            resident.listeners.append(listener)
        try:
            await asyncio.shield(resident.loading)
        except asyncio.CancelledError:
            if resident.loading.cancelled():
                raise UnavailableError("the load was given up") from None
            if resident.waiting == 1:
                resident.loading.cancel()
                self._send_away(resident)
            raise
        finally:
            resident.waiting -= 1
            if listener is not None:
                resident.listeners.remove(listener)

    def _replace(self, resident: Resident) -> None:
        """Send it away, and do not let the next use wait until it is gone."""
        if self._residents.get(resident.model) is resident:
            del self._residents[resident.model]
            self._replaced.add(resident)
        self._send_away(resident)

    def _send_away(self, resident: Resident) -> None:
        if resident.eviction is None:
            resident.eviction = asyncio.ensure_future(self._evict(resident))

    async def _evict(self, resident: Resident) -> None:
        try:
            await resident.idle.wait()
            provider = await outcome(resident.loading)
            if provider is not None:
                await provider.close()
        finally:
            self._remove(resident)

    def _remove(self, resident: Resident) -> None:
        if self._residents.get(resident.model) is resident:
            del self._residents[resident.model]
        self._replaced.discard(resident)
        resident.gone.set()


async def outcome(loading: asyncio.Task[Provider]) -> Provider | None:
    """The provider of a load once it has ended, ``None`` where it failed."""
    await asyncio.wait([loading])
    failed = loading.cancelled() or loading.exception() is not None
    return None if failed else loading.result()


def outdated(loaded: ModelRecord, present: ModelRecord) -> bool:
    """Whether what was made of ``loaded`` would answer otherwise than ``present`` wants.

    A file that runs here stays as it was loaded until it is loaded anew, since that takes long.
    """
    if loaded.etag == present.etag or ModelFormat.API not in (loaded.format, present.format):
        return False
    return origin(loaded) != origin(present)


def origin(record: ModelRecord) -> tuple[object, ...]:
    """All that providers are made of."""
    return record.format, record.source, record.provider, record.endpoint, record.config
