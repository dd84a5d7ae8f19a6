"""Several ledgers, as of several service processes, on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.types import Metrics
from plugins.postgresql import PostgresqlServer
from unit.echoes import until

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NEVER = 1e6
CALLERS = 500
ALL = UsageQuery()


class Clock:
    """Tells ``now``."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def ledgers(
    url: str, clock: Clock, *, pause: float = NEVER, refresh: float = NEVER
) -> AsyncIterator[tuple[UsageLedger, ...]]:
    """Two; by default they write and read when they are told to."""
    stores = [await RegistryStore.open(url) for _ in range(2)]
    opened = [
        await UsageLedger.open(store.database, clock, pause=pause, refresh=refresh)
        for store in stores
    ]
    try:
        yield tuple(opened)
    finally:
        for ledger in opened:
            await ledger.close()
        for store in stores:
            await store.close()


def book(ledger: UsageLedger, caller: str, cost: float, when: datetime | None = None) -> None:
    ledger.record(caller, "m", Metrics(cost_usd=cost), failed=False, when=when)


async def test_rows_of_both_add_up(postgresql_url: str) -> None:
    async with ledgers(postgresql_url, Clock()) as (one, other):
        callers = [f"c{number:03}" for number in range(CALLERS)]

        async def use(ledger: UsageLedger, callers: Iterable[str]) -> None:
            for caller in callers:
                book(ledger, caller, 0.1)
            await ledger.flush()

        # In opposite orders: whoever locks rows in the order of the records waits for ever.
        for _ in range(3):
            await asyncio.gather(use(one, callers), use(other, reversed(callers)))
        rows = await one.rows(ALL)
        assert rows == await other.rows(ALL)
        found = [(row.caller, row.requests, row.cost_usd) for row in rows]
        assert found == [(caller, 6, 0.6) for caller in callers]


async def test_what_others_spend_counts(postgresql_url: str) -> None:
    clock = Clock()
    async with ledgers(postgresql_url, clock) as (one, other):
        yesterday = NOON - timedelta(days=1)
        book(one, "alice", 1.0)
        book(one, "bob", 2.0, yesterday)
        await one.flush()
        book(other, "alice", 4.0)
        await other.flush()
        book(other, "alice", 8.0)  # not written yet
        assert other.spent("2026-12-01") == 12.0
        for _ in range(2):
            await other._refresh()
            assert other.spent("2026-12-01", caller="alice") == 13.0
            assert other.spent("2026-12", model="m") == 13.0
            assert other.spent("2026-11", caller="bob") == 2.0
            assert other.spent("2026-11-30") == 2.0
        await other.flush()
        await one._refresh()
        assert one.spent("2026-12", caller="alice") == 13.0
        clock.now += timedelta(days=1)
        book(one, "alice", 16.0)
        await one.flush()
        await other._refresh()
        assert other.spent("2026-12-02") == 16.0
        assert other.spent("2026-12") == 29.0
        assert other.spent("2026-12-01") == 13.0


async def test_nothing_counts_twice_while_it_is_written(postgresql_url: str) -> None:
    async with ledgers(postgresql_url, Clock()) as (one, _):
        for number in range(10):
            book(one, "alice", 1.0)
            refreshing = asyncio.ensure_future(one._refresh())
            await asyncio.sleep(0)
            book(one, "alice", 1.0)
            flushing = asyncio.ensure_future(one.flush())
            await asyncio.gather(refreshing, flushing, one._refresh())
            assert one.spent("2026-12") == 2.0 * (number + 1)


async def test_it_is_looked_now_and_then(
    postgresql_server: PostgresqlServer, postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ledgers(postgresql_url, Clock(), pause=0.0, refresh=0.01) as (one, other):
        book(one, "alice", 1.0)
        await until(lambda: other.spent("2026-12") == 1.0)
        await asyncio.to_thread(postgresql_server.stop)
        try:
            book(one, "alice", 2.0)
            await until(lambda: caplog.text.count("what others have spent") == 2)
            assert one.spent("2026-12") == 3.0
        finally:
            await asyncio.to_thread(postgresql_server.start)
        await one.flush()
        await until(lambda: other.spent("2026-12") == 3.0)
        assert caplog.text.count("what others have spent") == 2


async def test_a_name_that_postgresql_does_not_take(postgresql_url: str) -> None:
    async with ledgers(postgresql_url, Clock()) as (one, _):
        book(one, "a\0b", 1.0)
        assert one.booked_as("a\0b") == "a\N{REPLACEMENT CHARACTER}b"
        (row,) = await one.rows(UsageQuery(caller="a\0b"))
        assert row.caller == one.booked_as("a\0b")
        assert await one.rows(UsageQuery(model="\0")) == []
