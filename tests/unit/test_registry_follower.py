"""What is in memory follows a store that somebody else changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from llm_runner_router.registry.changes.log import StoredChange
from llm_runner_router.registry.entries import Entry
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.records import ModelDetails, ModelLimits, ModelRecord
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


def changed_elsewhere(store: RegistryStore, record: ModelRecord) -> None:
    """Let ``record`` come in as how its model is by now, whatever it was meanwhile."""
    change = StoredChange(store.sequence + 1, "model", record.id)
    store._journal._take([Entry("model", record.id, record)], [change])


async def test_a_model_that_was_registered_anew_unseen_answers_no_longer_as_before() -> None:
    """Its removal and the registration of another under its id are one change to who looks late."""
    async with followed() as made:
        await made.residency.load("b")
        before = made.store.get("a")
        async with made.residency.lease("a") as old:
            other = replace(before, source="b.gguf", created=before.created + 1, etag="other")
            changed_elsewhere(made.store, other)
            await until(lambda: made.forgotten == ["a"])
            assert not made.residency.loaded("a")
            assert made.residency.details("a") == ModelDetails()
            assert made.residency.busy("a")
        changed_elsewhere(made.store, replace(other, owner="me", etag="owned"))
        async with made.residency.lease("a") as new:
            assert new is not old
        await until(lambda: old.closed)
        await settle()
        assert made.forgotten == ["a"]
        assert made.residency.loaded_models() == ["a", "b"]
        assert made.residency.details("a") != ModelDetails()


async def test_what_is_known_of_a_model_goes_with_it_also_where_it_is_not_loaded() -> None:
    async with followed() as made:
        before = made.store.get("a")
        changed_elsewhere(made.store, replace(before, created=before.created + 1))
        await until(lambda: made.forgotten == ["a"])


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
