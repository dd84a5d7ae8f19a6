"""Older files of the registry are brought to the present schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.database import migrate
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.schema import SCHEMA_VERSION
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat
from unit.registry.test_resources import ALIAS, API, TEMPLATE

VERSION_1 = """
PRAGMA journal_mode=WAL;
CREATE TABLE models (
    id VARCHAR NOT NULL, name VARCHAR NOT NULL, format VARCHAR NOT NULL, source VARCHAR NOT NULL,
    config JSON NOT NULL, capabilities JSON NOT NULL, labels JSON NOT NULL, etag VARCHAR NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO models VALUES
    ('m', 'Ein Modell ☃', 'gguf', '/models/m.gguf', '{"top_k": 0, "stop": ["a"]}',
     '["text-generation"]', '{"k": "v"}', 'abc');
PRAGMA user_version=1;
"""
OLD = ModelRecord(
    id="m",
    name="Ein Modell ☃",
    format=ModelFormat.GGUF,
    source="/models/m.gguf",
    config=ModelConfig(top_k=0, stop=("a",)),
    labels={"k": "v"},
    etag="abc",
)


def write(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


def schema_of(path: Path) -> tuple[object, ...]:
    """The version and every table's columns, their defaults and their order apart."""
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name"
        ).fetchall()
        columns = [
            [(row[1], row[2], row[3], row[5]) for row in rows]
            for (name,) in tables
            for rows in [connection.execute(f"PRAGMA table_info({name})").fetchall()]
        ]
    return version, tables, columns


async def test_a_file_of_version_1_keeps_its_models(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    write(path, VERSION_1)
    store = await RegistryStore.open(path)
    assert list(store.page("", 9)) == [OLD]
    await store.add(API)
    await store.set_alias(ALIAS)
    await store.set_template(TEMPLATE)
    await store.close()
    store = await RegistryStore.open(path)
    assert store.get("m") == OLD
    assert replace(store.get("api"), etag="") == API
    await store.close()


async def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    write(tmp_path / "old.db", VERSION_1)
    for name in ("old.db", "new.db"):
        await (await RegistryStore.open(tmp_path / name)).close()
    assert schema_of(tmp_path / "old.db") == schema_of(tmp_path / "new.db")
    assert schema_of(tmp_path / "new.db")[0] == (SCHEMA_VERSION,)


@pytest.mark.parametrize("damage", ["UPDATE models SET format='bogus'", "DROP TABLE models"])
async def test_a_damaged_old_file_stays_what_it_was(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "r.db"
    write(path, VERSION_1 + damage)
    before = schema_of(path)
    with pytest.raises(InvalidConfigError):
        await RegistryStore.open(path)
    assert schema_of(path) == before


async def test_an_upgrade_that_breaks_off_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.db"
    write(path, VERSION_1)
    before = schema_of(path)

    async def broken(*values: object) -> None:
        await migrate(*values)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("llm_runner_router.registry.database.migrate", broken)
    with pytest.raises(KeyboardInterrupt):
        await RegistryStore.open(path)
    assert schema_of(path) == before
