"""Several stores, as of several service processes, on one PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidRequestError,
    UnavailableError,
)
from llm_runner_router.registry.changes import log as change_log
from llm_runner_router.registry.changes.log import StoredChange
from llm_runner_router.registry.records import ImportMode, MeasurementRow
from llm_runner_router.registry.storage import postgresql
from llm_runner_router.registry.store import RegistryStore
from plugins.postgresql import PostgresqlServer
from unit.echoes import model, until
from unit.registry.test_resources import ALIAS, API, TEMPLATE

SEEN_WITHIN = 1.0
SLACK = 19.0
"""Seconds that a busy machine may add."""

COUNTER = Path(__file__).with_name("registry_counter.py")


@asynccontextmanager
async def two(url: str, *, listening: bool = True) -> AsyncIterator[tuple[RegistryStore, ...]]:
    """Two stores; where they are not listening they see each other only as they write."""
    stores = await asyncio.gather(RegistryStore.open(url), RegistryStore.open(url))
    try:
        if not listening:
            for store in stores:
                assert store._listener is not None
                await store._listener.close()
        yield stores
    finally:
        for store in stores:
            await store.close()


async def seen(store: RegistryStore, sequence: int) -> None:
    """Wait until the store sees a change that was just made."""
    async with asyncio.timeout(SEEN_WITHIN + SLACK):
        while store.sequence < sequence:
            await store.changed(store.position)


async def test_two_may_begin_with_nothing(postgresql_url: str) -> None:
    async with two(postgresql_url) as (one, other):
        assert one.epoch == other.epoch
        assert (one.sequence, other.sequence) == (0, 0)


async def test_changes_are_seen_within_a_second(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "POLL_SECONDS", 1000.0)  # they are told, not looked for
    async with two(postgresql_url) as (one, other):
        extras = {("model", "m"): {"a": 1}}
        await one.import_all([model("m"), API], [TEMPLATE], extras, mode=ImportMode.KEEP)
        await seen(other, one.sequence)
        alias = await one.set_alias(ALIAS)
        await seen(other, one.sequence)
        assert other.models() == one.models()
        assert (other.alias("both"), other.templates()) == (alias, one.templates())
        assert (other.extras(), other.revision) == (extras, 2)
        before = other.position
        assert before == one.position
        await other.remove("m")
        await other.remove_alias("both")
        await other.remove_template("t")
        await seen(one, other.sequence)
        assert one.models() == [other.get("api")]
        assert (one.aliases(), one.templates(), one.extras()) == ([], [], {})
        assert one.changes_since(before) == other.changes_since(before)
        assert one.changes_since(before) == [
            StoredChange(5, "model", "m"),
            StoredChange(6, "alias", "both"),
        ]


async def test_nobody_changes_what_he_has_not_seen(postgresql_url: str) -> None:
    async with two(postgresql_url, listening=False) as (one, other):
        stored = await one.add(model("m"))
        with pytest.raises(AlreadyExistsError):
            await other.add(model("m"))
        assert other.get("m") == stored
        newer = await one.update("m", lambda record: replace(record, name="new"))
        with pytest.raises(ConflictError, match=newer.etag):
            await other.update("m", lambda record: record, stored.etag)
        await one.update("m", lambda record: replace(record, labels={"a": "b"}))
        both = await other.update("m", lambda record: replace(record, owner="me"))
        assert (both.name, both.labels, both.owner) == ("new", {"a": "b"}, "me")
        await one.remove("m")
        with pytest.raises(InvalidRequestError):
            await other.set_alias(replace(ALIAS, fallbacks=(), rules=()))
        assert len(other) == 0


async def test_of_two_writers_with_one_etag_one_wins(postgresql_url: str) -> None:
    async with two(postgresql_url) as (one, other):
        present = await one.add(model("m"))
        for number in range(20):
            tries = [
                store.update("m", lambda record, n=name: replace(record, name=n), present.etag)
                for store, name in ((one, f"one {number}"), (other, f"other {number}"))
            ]
            won, lost = sorted(
                await asyncio.gather(*tries, return_exceptions=True),
                key=lambda result: isinstance(result, BaseException),
            )
            assert isinstance(lost, ConflictError)
            assert not isinstance(won, BaseException)
            await asyncio.gather(seen(one, number + 2), seen(other, number + 2))
            assert one.get("m") == other.get("m") == won
            present = won


async def test_two_processes_lose_nothing(postgresql_url: str) -> None:
    """Each counts up in one record with etags, and tries again where the other was faster."""
    store = await RegistryStore.open(postgresql_url)
    await store.add(model("m", labels={"count": "0"}))
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(COUNTER), postgresql_url, "15"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"ready\n"
    await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
    await seen(store, 31)
    assert store.get("m").labels == {"count": "30"}
    assert store.sequence == 31
    await store.close()


async def test_who_was_away_for_long_reads_everything(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_log, "REMEMBERED", 3)
    async with two(postgresql_url, listening=False) as (one, other):
        await one.add(model("m"))
        await other._journal.catch_up()
        before = other.position
        waiting = asyncio.ensure_future(other.changed(before))
        for number in range(5):
            await one.add(model(f"m{number}"))
        later = one.position
        await one.remove("m")
        revision = other.revision
        await other._journal.catch_up()
        await waiting
        assert other.models() == one.models()
        assert other.resolve("m") is None
        assert (other.sequence, other.changes_since(before)) == (7, None)
        assert other.revision > revision
        assert other.changes_since(later) == [StoredChange(7, "model", "m")]


async def test_a_database_that_was_set_back_is_read_again(postgresql_url: str) -> None:
    async with two(postgresql_url, listening=False) as (one, other):
        for name in ("a", "b"):
            await one.add(model(name))
        await other._journal.catch_up()
        before = other.position
        async with one.database.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM models WHERE id = 'b'")
            await connection.exec_driver_sql("DELETE FROM changes WHERE sequence = 2")
            await connection.exec_driver_sql("UPDATE identity SET epoch = 'another'")
        await other._journal.catch_up()
        assert [record.id for record in other.models()] == ["a"]
        assert (other.sequence, other.changes_since(before), other.epoch) == (1, None, "another")
        await other.add(model("c"))
        assert other.sequence == 2


async def test_a_database_that_lost_changes_and_went_on_is_read_again(postgresql_url: str) -> None:
    """As after a restore: the last change has the number of one that was lost."""
    async with two(postgresql_url, listening=False) as (one, other):
        await one.add(model("a"))
        kept = one.position
        await one.add(model("lost"))
        await other._journal.catch_up()
        lost, revision = other.position, other.revision
        async with one.database.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM models WHERE id = 'lost'")
            await connection.exec_driver_sql("DELETE FROM changes WHERE sequence = 2")
        async with two(postgresql_url, listening=False) as (new, _):
            await new.add(model("new"))
            waiting = asyncio.ensure_future(other.changed(lost))
            await other._journal.catch_up()
            await waiting
            assert other.models() == new.models()
            assert other.revision > revision
            assert (other.sequence, other.changes_since(lost)) == (2, None)
            assert other.changes_since(kept) == [StoredChange(2, "model", "new")]
            await new.add(model("newer"))
            await one.add(model("newest"))
            assert [record.id for record in one.models()] == ["a", "new", "newer", "newest"]


async def test_what_cannot_be_read_changes_nothing(postgresql_url: str) -> None:
    async with two(postgresql_url, listening=False) as (one, other):
        await one.add(model("m"))
        await other._journal.catch_up()
        await one.update("m", lambda record: replace(record, name="new"))
        async with one.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE models SET format = 'of tomorrow'")
        for change in (other._journal.catch_up, lambda: other.remove("m")):
            with pytest.raises(UnavailableError, match="this version cannot read"):
                await change()
        assert (other.get("m").name, other.sequence) == ("", 1)


async def test_a_server_that_goes_away_and_comes_back(
    postgresql_server: PostgresqlServer, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with two(postgresql_url) as (one, other):
        await one.add(model("m"))
        await seen(other, 1)
        with caplog.at_level(logging.WARNING):
            await asyncio.to_thread(postgresql_server.stop)
            try:
                for store in (one, other):
                    with pytest.raises(UnavailableError):
                        await store.add(model("n"))
                    assert [record.id for record in store.models()] == ["m"]
                await until(lambda: caplog.text.count("database is away") == 2)
            finally:
                await asyncio.to_thread(postgresql_server.start)
            await one.add(model("n"))
            async with asyncio.timeout(20):
                while other.sequence < 2:
                    await other.changed(other.position)
        assert other.models() == one.models()
        assert caplog.text.count("database is away") == 2
        await other.remove("m")
        await seen(one, 3)


async def test_connections_that_are_cut_are_made_again(
    postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    async with two(postgresql_url) as (one, other):
        await one.add(model("m"))
        await seen(other, 1)
        postgresql_server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'llm-runner-router'"
        )
        await one.remove("m")
        async with asyncio.timeout(20):
            while other.sequence < 2:
                await other.changed(other.position)
        assert other.models() == []


async def test_measurements_of_two_processes(postgresql_url: str) -> None:
    async with two(postgresql_url) as (one, other):
        mine, his = MeasurementRow("m", 0, 1), MeasurementRow("m", 1, 2)
        await one.save_measurements([mine])
        await other.save_measurements([his])
        await asyncio.gather(
            one.save_measurements([replace(mine, samples=5)]),
            other.save_measurements([his, replace(his, model="n")]),
        )
        await other.save_measurements([his])
    async with two(postgresql_url) as (one, other):
        assert set(one.measurements()) == {replace(mine, samples=5), his}
        await one.save_measurements([his])
        assert one.measurements() == (his,)
    store = await RegistryStore.open(postgresql_url)
    assert store.measurements() == (his,)
    await store.close()


@asynccontextmanager
async def impatient(store: RegistryStore) -> AsyncIterator[None]:
    """Commands on the present connection of ``store`` may take 0.3 s while the block runs."""
    async with store.database.begin() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    patient = driver._config
    assert patient.command_timeout == postgresql.COMMAND_SECONDS
    driver._config = patient._replace(command_timeout=0.3)
    try:
        yield
    finally:
        driver._config = patient


async def test_a_server_that_hangs(
    postgresql_server: PostgresqlServer, postgresql_url: str
) -> None:
    """Its kernel answers, the server does not."""
    async with two(postgresql_url, listening=False) as (one, other):
        await one.add(model("m"))
        backends = postgresql_server.sql(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'llm-runner-router'"
        )
        async with impatient(one):
            for backend in backends.split():
                os.kill(int(backend), signal.SIGSTOP)
            try:
                with pytest.raises(UnavailableError):
                    await one.add(model("n"))
                assert [record.id for record in one.models()] == ["m"]
            finally:
                for backend in backends.split():
                    os.kill(int(backend), signal.SIGCONT)
        await one.add(model("n"))
        await other._journal.catch_up()
        assert other.models() == one.models()


async def test_a_connection_that_is_stuck_is_given_up(postgresql_url: str) -> None:
    # A listener would use it first, now and then, and give it up itself.
    async with two(postgresql_url, listening=False) as (store, _):
        async with store.database.begin() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        endless = asyncio.ensure_future(driver.execute("SELECT pg_sleep(1000)"))
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError):
            await store.add(model("m"))
        await store.add(model("n"))
        assert [record.id for record in store.models()] == ["n"]
        await asyncio.gather(endless, return_exceptions=True)
