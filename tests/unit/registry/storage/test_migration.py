"""Older registries are brought to the present tables, in one transaction."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.changes.log import START
from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.registry.storage import migration
from llm_runner_router.registry.storage.database import Database
from llm_runner_router.registry.storage.schema import REVISIONS, metadata, revision
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from plugins.postgresql import PostgresqlServer
from unit.registry.places import Place
from unit.registry.storage.old_files import MODEL, SCRIPTS, contents_of, write
from unit.registry.test_resources import ALIAS, API, TEMPLATE, bare

STARTS = """
import asyncio, pathlib, sys
from llm_runner_router.registry.store import RegistryStore
async def start():
    await (await RegistryStore.open(pathlib.Path(sys.argv[1]))).close()
asyncio.run(start())
print("alembic" in sys.modules)
"""


async def nothing(_: AsyncConnection) -> None:
    """Read nothing."""


def differences(connection: Connection) -> list[Any]:
    """What Alembic would change to make the tables those of ``schema``."""
    options = {
        "version_table": revision.name,
        "compare_type": True,
        "target_metadata": metadata,
    }
    found: list[Any] = compare_metadata(
        MigrationContext.configure(connection, opts=options), metadata
    )
    return found


async def differences_at(place: Place) -> list[Any]:
    database, _ = await Database.open(place, nothing)
    async with database.begin() as connection:
        found = await connection.run_sync(differences)
    await database.close()
    return found


@pytest.mark.parametrize("version", SCRIPTS)
async def test_an_older_file_keeps_what_it_says(tmp_path: Path, version: int) -> None:
    path = tmp_path / "r.db"
    write(path, SCRIPTS[version])
    store = await RegistryStore.open(path)
    assert list(store.models()) == [MODEL]
    assert (store.sequence, store.changes_since(START)) == (0, [])
    ledger = await UsageLedger.open(store.database)
    rows = await ledger.rows(UsageQuery())
    assert [(row.requests, row.cost_usd) for row in rows] == [(2, 4.0)] * (version - 1)
    await ledger.close()
    await store.add(API)
    await store.set_alias(ALIAS)
    await store.set_template(TEMPLATE)
    epoch = store.epoch
    await store.close()
    store = await RegistryStore.open(path)
    assert (store.get("m"), bare(store.get("api")), store.epoch) == (MODEL, API, epoch)
    await store.close()


@pytest.mark.parametrize("version", SCRIPTS)
async def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path, version: int) -> None:
    write(tmp_path / "old.db", SCRIPTS[version])
    for name in ("old.db", "new.db"):
        assert await differences_at(tmp_path / name) == []
    old, new = (contents_of(tmp_path / name) for name in ("old.db", "new.db"))
    assert old[0] == new[0] == 3
    assert {name: columns for name, (columns, _) in old[1].items()} == {
        name: columns for name, (columns, _) in new[1].items()
    }


async def test_all_revisions_make_the_tables_of_a_new_registry(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            migration, "create", lambda connection, _: migration.upgrade(connection, "base")
        )
        assert await differences_at(place) == []
    store = await RegistryStore.open(place)
    stored = await store.add(API)
    await store.close()
    store = await RegistryStore.open(place)
    assert store.models() == [stored]
    await store.close()


def columns(connection: Connection) -> dict[str, list[Any]]:
    """All tables to their columns, with their types and defaults."""
    inspector = inspect(connection)
    return {
        table: sorted(
            (column["name"], str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        )
        for table in inspector.get_table_names()
    }


async def test_defaults_are_the_same_in_postgresql(
    postgresql_server: PostgresqlServer, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for create in (migration.create, lambda connection, _: migration.upgrade(connection, "base")):
        postgresql_server.clear()
        monkeypatch.setattr(migration, "create", create)
        database, _ = await Database.open(postgresql_url, nothing)
        async with database.begin() as connection:
            found.append(await connection.run_sync(columns))
        await database.close()
    assert found[0] == found[1]
    assert len(found[0]) == len(metadata.tables) + 1


async def test_a_new_registry_has_the_tables_of_the_schema(place: Place) -> None:
    assert await differences_at(place) == []


async def test_a_revision_between_is_upgraded(place: Place) -> None:
    """As a service of that revision would have left it."""
    database, _ = await Database.open(place, nothing)
    async with database.begin() as connection:
        for statement in (
            *(f"DROP TABLE {name}" for name in ("extras", "changes", "identity")),
            *(
                f"ALTER TABLE models DROP COLUMN {name}"
                for name in ("owner", "tags", "limits", "created", "updated")
            ),
            "UPDATE registry_revision SET version_num='0002'",
        ):
            await connection.exec_driver_sql(statement)
    await database.close()
    assert await differences_at(place) == []


def test_the_known_revisions_are_those_of_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "newline")
    folder = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in folder.walk_revisions())[::-1] == REVISIONS


@pytest.mark.parametrize("damage", ["UPDATE models SET format='bogus'", "DROP TABLE models"])
@pytest.mark.parametrize("version", SCRIPTS)
async def test_a_damaged_old_file_stays_what_it_was(
    tmp_path: Path, version: int, damage: str
) -> None:
    path = tmp_path / "r.db"
    write(path, SCRIPTS[version] + damage)
    before = contents_of(path)
    with pytest.raises(InvalidConfigError):
        await RegistryStore.open(path)
    assert contents_of(path) == before


@pytest.mark.parametrize("broken", ["create", "upgrade"])
async def test_an_upgrade_that_breaks_off_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "r.db"
    write(path, SCRIPTS[1] if broken == "upgrade" else "")
    before = contents_of(path)
    work = getattr(migration, broken)

    def breaks(connection: Connection, revision: str) -> None:
        work(connection, revision)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migration, broken, breaks)
        with pytest.raises(KeyboardInterrupt):
            await RegistryStore.open(path)
    assert contents_of(path) == before
    store = await RegistryStore.open(path)
    assert len(store) == (1 if broken == "upgrade" else 0)
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE registry_revision SET version_num='0099'",
        "DELETE FROM registry_revision",
        "DROP TABLE registry_revision",
        "DELETE FROM identity",
        "UPDATE models SET format='bogus'",
        "DROP TABLE aliases",
    ],
)
async def test_other_databases_are_refused_and_left_alone(postgresql_url: str, damage: str) -> None:
    store = await RegistryStore.open(postgresql_url)
    await store.add(replace(API, id="m"))
    async with store.database.begin() as connection:
        await connection.exec_driver_sql(damage)
    await store.close()
    for _ in range(2):
        with pytest.raises(InvalidConfigError) as caught:
            await RegistryStore.open(postgresql_url)
        assert caught.value.field == "registry.url"


def test_a_start_does_not_wait_for_alembic(tmp_path: Path) -> None:
    def started() -> str:
        command = [sys.executable, "-c", STARTS, str(tmp_path / "r.db")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert [started(), started()] == ["False\n", "False\n"]
