"""Which models are in memory: loaded on first use, kept while in use, sent away to make room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from llm_runner_router.errors import ProviderRejectedError, UnavailableError
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.memory.idle_clock import IdleClock
from llm_runner_router.registry.memory.loading import ModelLoader, load_into
from llm_runner_router.registry.memory.residency_rules import ResidencyLimits, ResidencyRules
from llm_runner_router.registry.memory.resident import ProgressListener, Resident
from llm_runner_router.registry.memory.room import MemoryRoom, MemoryUse
from llm_runner_router.registry.memory.slots import Slots
from llm_runner_router.registry.origin import outdated, registered_anew
from llm_runner_router.registry.records import ModelDetails, ModelRecord

__all__ = ["ModelLoader", "Residency", "ResidencyLimits"]

UNLIMITED = ResidencyLimits()


class Residency:
    """Belongs to one event loop.

    Loads of one model that overlap are one load; it is abandoned when the last who waits for it
    gives up. A load that does not fit waits until other models have made room, see MemoryRoom. A
    model that is leaving finishes its requests first, and comes back by a new load. One whose
    provider has failed is loaded anew on its next use. So is a model that was removed and
    registered again, and one behind an API whose record says otherwise by then, or whose provider
    has refused the key; requests that run on it finish meanwhile. ``find`` gives the present record
    of a model or raises; it is asked on each use, and again after each wait.
    """

    def __init__(
        self,
        loader: ModelLoader,
        find: Callable[[str], ModelRecord],
        limits: ResidencyLimits = UNLIMITED,
    ) -> None:
        self._loader = loader
        self._find = find
        self._rules = rules = ResidencyRules(find, limits)
        self._room = MemoryRoom(rules, self._send_away)
        self._idle = IdleClock(rules.idle_timeout, self._send_away)
        self._slots = Slots(rules.concurrent_requests)
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

    def running(self, record: ModelRecord) -> ModelRecord:
        """The record as which its model answers: an earlier one, where that is in memory still."""
        resident = self._residents.get(record.id)
        if resident is None or resident.leaving or outdated(resident.record, record):
            return record
        return resident.record

    def busy(self, model: str) -> bool:
        """Whether requests run on ``model``."""
        return any(resident.users > 0 for resident in self._all_of(model))

    def details(self, model: str) -> ModelDetails:
        """What the last load of ``model`` has shown."""
        return self._details.get(model, ModelDetails())

    def bytes(self, model: str) -> int:
        """What ``model`` takes now, also while it is loaded or leaves."""
        return sum(self._room.taken_by(resident) for resident in self._all_of(model))

    def memory(self) -> MemoryUse:
        """What all models take now, and what they may."""
        return self._room.use()

    def refresh(self) -> None:
        """Hold to what records and limits say now. To be called when one of them has changed.

        What was loaded of a registration that is over is sent away, whatever has its id by now.
        """
        for resident in tuple(self._residents.values()):
            present = self._rules.present(resident.model)
            if present is None or registered_anew(resident.record, present):
                self._replace(resident)
        self._slots.refresh()
        self._idle.refresh()
        self._room.settle()

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Provider]:
        """The provider of a model, loaded if need be, and kept while the block runs.

        No more of them at once than the record's ``limits`` say; others wait for their turn.
        """
        async with self._slots.slot(model):
            resident = await self._acquire(model, None)
            try:
                yield resident.loading.result()
            except ProviderRejectedError:
                # The key may be mended by now: it is read when a model is loaded.
                if resident.remote:
                    self._replace(resident)
                raise
            finally:
                self._leave(resident)

    async def load(self, model: str, on_progress: ProgressListener | None = None) -> None:
        """Load a model and leave it in memory."""
        resident = await self._acquire(model, on_progress)
        self._leave(resident)

    async def unload(self, model: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Take a model out of memory once its requests are done. Not loaded: nothing happens.

        After ``timeout`` seconds what still runs is ended, also if the caller has left by then.
        """
        residents = self._all_of(model)
        for resident in residents:
            self._send_away(resident)
            if timeout is not None:
                resident.end_in(timeout)
        for resident in residents:
            await resident.gone.wait()

    def forget(self, model: str) -> None:
        """Drop the details of a model whose registration is over; what is in memory is newer."""
        if not self.loaded(model):
            self._details.pop(model, None)

    async def close(self) -> None:
        """Unload everything at once, whatever still runs."""
        self._closed = True
        self._slots.close()
        residents = [*self._residents.values(), *self._replaced]
        for resident in residents:
            self._send_away(resident)
            resident.end()
        for resident in residents:
            await resident.gone.wait()

    def _all_of(self, model: str) -> list[Resident]:
        """The resident of a model, and those that it has replaced and that still answer."""
        residents = [resident for resident in self._replaced if resident.model == model]
        present = self._residents.get(model)
        return residents if present is None else [*residents, present]

    async def _acquire(self, model: str, listener: ProgressListener | None) -> Resident:
        """A loaded resident that counts the caller as one of its users."""
        while True:
            resident = self._usable(model)
            if resident.leaving:
                await resident.gone.wait()
                continue
            await self._loaded(resident, listener)
            if not resident.leaving:
                self._enter(resident)
                return resident

    def _usable(self, model: str) -> Resident:
        """The resident that requests should use: loaded, loading, or one to wait for."""
        if self._closed:
            raise UnavailableError("the router is closed")
        record = self._find(model)
        resident = self._residents.get(model)
        if resident is not None and outdated(resident.record, record):
            self._replace(resident)
            resident = None
        if resident is None:
            return self._begin(record)
        if resident.provider is not None and not resident.provider.usable:
            self._send_away(resident)
        return resident

    def _begin(self, record: ModelRecord) -> Resident:
        resident = Resident(record)
        self._residents[record.id] = resident
        resident.loading = asyncio.ensure_future(self._load(resident))
        return resident

    async def _load(self, resident: Resident) -> Provider:
        try:
            provider = await load_into(self._room, self._loader, resident)
        except BaseException:
            self._remove(resident)
            raise
        if self._residents.get(resident.model) is resident:
            self._details[resident.model] = provider.details
        resident.loaded()
        return provider

    async def _loaded(self, resident: Resident, listener: ProgressListener | None) -> None:
        """Wait for a load; the last waiter to give up takes the load with it."""
        if resident.loading.done():
            resident.loading.result()
            return
        try:
            with resident.awaited(listener):
                await asyncio.shield(resident.loading)
        except asyncio.CancelledError:
            if resident.loading.cancelled():
                raise UnavailableError("the load was given up") from None
            if not resident.waiting:
                self._abandon(resident)
            raise

    def _abandon(self, resident: Resident) -> None:
        """Nobody waits for its load any more."""
        if resident.loading.done():  # it has ended all the same
            self._rest(resident)
        else:
            resident.give_up()
            self._send_away(resident)

    def _enter(self, resident: Resident) -> None:
        resident.enter()
        self._idle.stop(resident)
        if not resident.waiting:  # from now on it can be asked to go after its requests
            self._room.settle()

    def _leave(self, resident: Resident) -> None:
        resident.leave()
        self._rest(resident)

    def _rest(self, resident: Resident) -> None:
        """Count how long nobody uses it, where nobody does; it can make way now."""
        if resident.settled and not resident.users:
            self._idle.start(resident)
        self._room.settle()

    def _replace(self, resident: Resident) -> None:
        """Send it away, and do not let the next use wait until it is gone."""
        if self._residents.get(resident.model) is resident:
            del self._residents[resident.model]
            self._replaced.add(resident)
        self._send_away(resident)

    def _send_away(self, resident: Resident) -> None:
        if resident.eviction is None:
            self._idle.stop(resident)
            resident.eviction = asyncio.ensure_future(self._evict(resident))

    async def _evict(self, resident: Resident) -> None:
        try:
            await resident.unused.wait()
            provider = await resident.outcome()
            if provider is not None:
                await provider.close()
        finally:
            self._remove(resident)

    def _remove(self, resident: Resident) -> None:
        if self._residents.get(resident.model) is resident:
            del self._residents[resident.model]
        self._replaced.discard(resident)
        self._room.give_back(resident)
        resident.vanish()
