"""Versions, times and the log of changes in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from llm_runner_router.errors import ConflictError, InvalidRequestError, UnavailableError
from llm_runner_router.registry.changes import log as change_log
from llm_runner_router.registry.changes.log import START, Position, StoredChange
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.store import RegistryStore
from unit.echoes import model
from unit.registry.places import Place
from unit.registry.test_resources import ALIAS, TEMPLATE, filled


def clock() -> Iterator[float]:
    """100.5, 101.5, …"""
    return (number + 0.5 for number in count(100))


async def test_models_are_found_by_name_and_version(place: Place) -> None:
    store = await RegistryStore.open(place)
    for name in ("m@1.9", "m@1.10", "n", "n@2"):
        await store.add(model(name))
    await store.close()
    store = await RegistryStore.open(place)

    def resolved(*names: str) -> list[str | None]:
        return [found and found.id for found in map(store.resolve, names)]

    assert resolved("m", "m@1.9", "n", "m@2", "x", "") == [
        *("m@1.10", "m@1.9", "n"),
        *(None, None, None),
    ]
    await store.remove("m@1.10")
    await store.remove("n")
    await store.update("m@1.9", lambda record: replace(record, name="new"))
    assert resolved("m", "n") == ["m@1.9", "n@2"]
    assert store.resolve("m") == store.get("m@1.9")
    assert [record.id for record in store.models()] == ["m@1.9", "n@2"]
    await store.close()


async def test_the_store_tells_the_times(place: Place) -> None:
    now = clock()
    store = await RegistryStore.open(place, lambda: next(now))
    made = await store.add(model(created=5.0, updated=6.0))
    assert made.created == made.updated
    assert made.created < 110
    changed = await store.update("m", lambda record: replace(record, name="n", created=7.0))
    assert (changed.created, changed.created < changed.updated) == (made.created, True)
    await store.close()
    store = await RegistryStore.open(place)
    assert store.get("m") == changed
    await store.close()


async def test_every_change_is_in_the_log(place: Place) -> None:
    store = await filled(place)
    assert store.changes_since(START) == [
        StoredChange(1, "model", "m"),
        StoredChange(2, "model", "api"),
    ]
    await store.set_alias(ALIAS)
    await store.update("m", lambda record: record)
    await store.set_template(TEMPLATE)
    await store.remove_alias(ALIAS.id)
    await store.remove("api")
    epoch, wanted = store.epoch, store.changes_since(START)
    assert wanted == [
        StoredChange(4, "model", "m"),
        StoredChange(6, "alias", ALIAS.id),
        StoredChange(7, "model", "api"),
    ]
    await store.close()
    store = await RegistryStore.open(place)
    assert (store.epoch, store.sequence, store.changes_since(START)) == (epoch, 7, wanted)
    assert store.changes_since(Position(8, 0.0)) is None
    await store.close()


async def test_what_fails_is_not_in_the_log(place: Place) -> None:
    store = await filled(place)
    with pytest.raises(ConflictError):
        await store.update("m", lambda record: record, "old")

    def raises(_: ModelRecord) -> ModelRecord:
        raise InvalidRequestError("name", "x", "another")

    with pytest.raises(InvalidRequestError):
        await store.update("m", raises)
    assert store.sequence == 2
    assert (await store.update("m", lambda record: record)).id == "m"
    assert store.sequence == 3
    await store.close()


async def test_the_log_is_trimmed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "REMEMBERED", 2)
    store = await filled(place)
    before = store.position
    await store.remove("m")
    removed = store.position
    await store.add(model("n"))
    assert (store.changes_since(before), store.changes_since(store.position)) == (None, [])
    await store.close()
    monkeypatch.undo()
    store = await RegistryStore.open(place)
    assert (store.sequence, store.changes_since(before)) == (4, None)
    assert store.changes_since(removed) == [StoredChange(4, "model", "n")]
    await store.close()


async def test_registries_differ(place: Place) -> None:
    first, second = await RegistryStore.open(place), await RegistryStore.open(None)
    assert first.epoch not in ("", second.epoch)
    await first.close()
    await second.close()


async def test_who_waits_sees_the_change(place: Place) -> None:
    store = await filled(place)
    before = store.position
    waiting = asyncio.ensure_future(store.changed(before))
    await store.remove("m")
    await waiting
    assert store.changes_since(before) == [StoredChange(3, "model", "m")]
    waiting = asyncio.ensure_future(store.changed(store.position))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(UnavailableError):
        await waiting


@pytest.mark.parametrize("field", ["name", "source", "owner"])
async def test_text_that_a_database_does_not_take_is_refused(place: Place, field: str) -> None:
    store = await RegistryStore.open(place)
    with pytest.raises(InvalidRequestError) as caught:
        await store.add(replace(model(), **{field: "a\0b"}))
    assert (caught.value.field, store.sequence) == (field, 0)
    await store.add(model(labels={"\0": "\0"}))
    await store.close()
