from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidConfigError,
    ModelNotFoundError,
    UnavailableError,
)
from llm_runner_router.registry.records import ModelConfig, ModelLimits, ModelRecord
from llm_runner_router.registry.store import RegistryStore
from unit.echoes import model
from unit.registry.places import Place, bare, set_read_only

FULL = replace(
    model("full"),
    name="Ein Modell ☃",
    config=ModelConfig(
        context_length=1,
        max_tokens=2,
        temperature=0.0,
        top_p=0.5,
        top_k=0,
        min_p=0.0,
        repeat_penalty=1.1,
        stop=("a", "b"),
        gpu_layers=-1,
    ),
    capabilities=("x", "y"),
    labels={"k": "v", "": ""},
    owner="Team ☃",
    tags=("b", "a"),
    limits=ModelLimits(concurrent_requests=3, max_tokens=0),
)


async def reopened(place: Place) -> list[ModelRecord]:
    store = await RegistryStore.open(place)
    records = list(store.page("", 1000))
    await store.close()
    return records


async def test_records_survive_whole(place: Place) -> None:
    store = await RegistryStore.open(place)
    stored = await store.add(FULL)
    assert bare(stored) == FULL
    await store.close()
    assert await reopened(place) == [stored]


async def test_a_path_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "regi?stry #1%.db"
    store = await RegistryStore.open(path)
    stored = await store.add(FULL)
    await store.close()
    assert path.is_file()
    assert await reopened(path) == [stored]


async def test_memory_needs_no_file() -> None:
    store = await RegistryStore.open(None)
    await store.add(FULL)
    assert store.get("full").labels == FULL.labels
    await store.close()


async def test_ids_are_taken_once(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.add(model())
    with pytest.raises(AlreadyExistsError):
        await store.add(model())
    assert len(store) == 1
    await store.close()


async def test_update_changes_the_etag_and_checks_it(place: Place) -> None:
    store = await RegistryStore.open(place)
    first = await store.add(model())
    second = await store.update("m", lambda record: replace(record, name="new"), first.etag)
    assert second.etag != first.etag
    with pytest.raises(ConflictError):
        await store.update("m", lambda record: replace(record, name="late"), first.etag)
    with pytest.raises(ModelNotFoundError):
        await store.update("x", lambda record: record)
    await store.close()
    assert await reopened(place) == [second]


async def test_removed_records_are_gone(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.add(model())
    await store.remove("m")
    with pytest.raises(ModelNotFoundError):
        await store.remove("m")
    await store.close()
    assert await reopened(place) == []


async def test_pages_follow_the_ids(place: Place) -> None:
    store = await RegistryStore.open(place)
    for name in "dbca":
        await store.add(model(name))
    assert [record.id for record in store.page("", 3)] == ["a", "b", "c"]
    assert [record.id for record in store.page("c", 3)] == ["d"]
    await store.close()


async def test_a_cancelled_caller_does_not_stop_a_change(place: Place) -> None:
    store = await RegistryStore.open(place)
    adding = asyncio.ensure_future(store.add(model()))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    await store.close()
    assert [record.id for record in await reopened(place)] == ["m"]


async def test_changes_at_once_are_all_made(place: Place) -> None:
    store = await RegistryStore.open(place)
    await asyncio.gather(*(store.add(model(f"m{number}")) for number in range(20)))
    await store.close()
    assert len(await reopened(place)) == 20


async def test_a_file_belongs_to_one_service(tmp_path: Path) -> None:
    store = await RegistryStore.open(tmp_path / "r.db")
    with pytest.raises(InvalidConfigError, match="no other running service"):
        await RegistryStore.open(tmp_path / "r.db")
    await store.close()
    await store.close()
    assert await reopened(tmp_path / "r.db") == []


async def test_a_commit_is_durable(tmp_path: Path) -> None:
    store = await RegistryStore.open(tmp_path / "r.db")
    async with store.database.begin() as connection:
        values = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "user_version")
        ]
    assert values == ["wal", 2, 3]
    await store.close()


@pytest.mark.parametrize(
    "kind",
    ["text", "folder", "newer", "newest", "foreign", "torn", "nameless", "damaged"],
)
async def test_other_files_are_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "r.db"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("this is no database, but long enough to be looked at " * 40)
    else:
        await (await RegistryStore.open(path)).close()
        script = {
            "newer": "UPDATE registry_revision SET version_num='0099'",
            "newest": "DROP TABLE registry_revision; PRAGMA user_version=99",
            "foreign": "DROP TABLE registry_revision; PRAGMA user_version=0",
            "torn": "DELETE FROM registry_revision",
            "nameless": "DELETE FROM identity",
            "damaged": "INSERT INTO models (id, name, format, source, config, capabilities, labels,"
            " etag) VALUES ('a', '', 'bogus', '', '{}', '[]', '{}', '')",
        }[kind]
        with sqlite3.connect(path) as connection:
            connection.executescript(script)
        connection.close()
    before = path.read_bytes() if path.is_file() else b""
    for _ in range(2):  # the second time shows that the lock was given back
        with pytest.raises(InvalidConfigError) as caught:
            await RegistryStore.open(path)
        assert caught.value.field == "registry.path"
    assert before == (path.read_bytes() if path.is_file() else b"")


async def test_a_closed_store_changes_nothing(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.close()
    with pytest.raises(UnavailableError):
        await store.add(model())


async def test_a_write_that_fails_leaves_the_memory_as_it_was(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.add(model("a"))
    await set_read_only(store.database)
    with pytest.raises(UnavailableError, match="cannot be used"):
        await store.add(model("b"))
    assert [record.id for record in store.page("", 9)] == ["a"]
    await store.close()
