"""The way of a model into memory: estimated, given room, loaded, measured."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from llm_runner_router.errors import ModelNotPulledError, OverloadedError
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.memory.resident import ProgressListener, Resident
from llm_runner_router.registry.memory.room import MemoryRoom
from llm_runner_router.registry.records import MemoryEstimate, ModelRecord

OUT_OF_MEMORY = frozenset({"OVERLOADED", "MEMORY"})
"""Reasons of an OverloadedError that say that a load found too little memory."""


class ModelLoader(Protocol):
    """Brings a model into memory."""

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        """What ``record`` will take; ``None`` where it takes no memory here, as behind an API.

        RouterError where it cannot be loaded, ModelNotPulledError where it is not here yet.
        """
        ...

    async def fetch(self, record: ModelRecord, on_progress: ProgressListener) -> ModelRecord:
        """Bring here what is not, where the service may; else ModelNotPulledError.

        The record comes back with what its source says of the model.
        """
        ...

    async def load(self, record: ModelRecord, on_progress: ProgressListener) -> Provider:
        """The provider of ``record``; cancelling it, or a RouterError, leaves nothing behind.

        ``on_progress`` is called on the event loop.
        """
        ...


@runtime_checkable
class Measured(Protocol):
    """A provider that knows what it takes."""

    @property
    def memory(self) -> MemoryEstimate | None:
        """What it takes in fact; ``None`` where that is as estimated."""
        ...


async def load_into(room: MemoryRoom, loader: ModelLoader, resident: Resident) -> Provider:
    """The provider of ``resident``, which has its memory from ``room`` until it gives it back.

    Where the machine has less than the room, idle models are taken out and it is tried once more.
    """
    estimate = await estimated(loader, resident)
    if estimate is None:
        return await loader.load(resident.record, resident.report)
    await room.claim(resident, estimate)
    try:
        provider = await loader.load(resident.record, resident.report)
    except OverloadedError as error:
        if error.reason not in OUT_OF_MEMORY or not await room.relieve(resident):
            raise
        provider = await loader.load(resident.record, resident.report)
    if isinstance(provider, Measured) and provider.memory is not None:
        room.correct(resident, provider.memory.total)
    return provider


async def estimated(loader: ModelLoader, resident: Resident) -> MemoryEstimate | None:
    """What ``resident`` will take, once its files are here."""
    try:
        return await loader.estimate(resident.record)
    except ModelNotPulledError:
        resident.record = await loader.fetch(resident.record, resident.report)
        return await loader.estimate(resident.record)
