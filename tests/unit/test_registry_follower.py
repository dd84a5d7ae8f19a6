"""What is in memory follows a store that somebody else changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.records import ModelDetails, ModelLimits
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry_follower import RegistryFollower
from unit.echoes import EchoLoader, model, settle, until


@dataclass(frozen=True)
class Followed:
    store: RegistryStore
    loader: EchoLoader
    residency: Residency
    forgotten: list[str]


@asynccontextmanager
async def followed() -> AsyncIterator[Followed]:
    """One with the models a and b, whose follower forgets into a list."""
    store, loader, forgotten = await RegistryStore.open(None), EchoLoader(), list[str]()
    for name in ("a", "b"):
        await store.add(model(name, limits=ModelLimits(concurrent_requests=1)))
    residency = Residency(loader, store.get)
    follower = RegistryFollower(store, residency, forgotten.append)
    try:
        async with asyncio.timeout(10):
            yield Followed(store, loader, residency, forgotten)
    finally:
        await follower.close()
        await residency.close()
        await store.close()


async def test_a_removed_model_finishes_its_requests_and_leaves() -> None:
    async with followed() as made:
        await made.residency.load("b")
        async with made.residency.lease("a"):
            await made.store.remove("a")
            await until(lambda: made.forgotten == ["a"])
            await settle()
            assert not made.loader.providers["a"].closed
            assert not made.residency.loaded("a")
        await until(lambda: made.loader.providers["a"].closed)
        assert made.residency.loaded_models() == ["b"]
        await until(lambda: made.residency.details("a") == ModelDetails())
        assert made.residency.details("b") != ModelDetails()


async def test_changed_limits_hold_at_once_and_nothing_is_forgotten() -> None:
    async with followed() as made, made.residency.lease("a"):
        begun = asyncio.Event()

        async def wait() -> None:
            async with made.residency.lease("a"):
                begun.set()

        waiting = asyncio.ensure_future(wait())
        await settle()
        assert not begun.is_set()
        await made.store.update("a", lambda record: replace(record, limits=ModelLimits()))
        await begun.wait()
        await waiting
        assert made.forgotten == []


async def test_after_more_changes_than_are_remembered_all_in_memory_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with followed() as made:
        for name in ("a", "b"):
            await made.residency.load(name)
        monkeypatch.setattr(made.store, "changes_since", lambda _: None)
        await made.store.remove("a")
        await until(lambda: made.loader.providers["a"].closed)
        assert made.forgotten == ["a"]
        assert made.residency.loaded_models() == ["b"]
