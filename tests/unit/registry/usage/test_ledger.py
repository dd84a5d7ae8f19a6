from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidConfigError, InvalidRequestError, UnavailableError
from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage import spending
from llm_runner_router.registry.usage.counts import MAX_COUNT, picodollars
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.types import Metrics
from unit.echoes import model
from unit.registry.places import Place, set_read_only

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ALL = UsageQuery()
NEVER = 1e6  # seconds of pause: only flush writes
METRICS = Metrics(
    prompt_tokens=10,
    cached_tokens=4,
    completion_tokens=5,
    reasoning_tokens=2,
    cost_usd=0.1,
    saved_cost_usd=0.2,
)


@asynccontextmanager
async def ledger(
    place: Place | None, pause: float = NEVER, named: Container[str] = ()
) -> AsyncIterator[UsageLedger]:
    """The ledger of a registry, at noon; closed in the end."""
    store = await RegistryStore.open(place)
    opened = await UsageLedger.open(store.database, lambda: NOON, pause=pause, named=lambda: named)
    try:
        yield opened
    finally:
        await opened.close()
        await store.close()


async def test_what_is_recorded_is_seen_at_once(place: Place) -> None:
    async with ledger(place) as opened:
        for failed in (False, True, False):
            opened.record("alice", "m", METRICS, failed=failed)
        assert opened.spent("2026-11-24") == 0.3
        wanted = UsageRow("2026-11-24", "alice", "m", 3, 1, 30, 12, 15, 6, 0.3, 0.6)
        assert await opened.rows(ALL) == [wanted]


async def test_spending_by_caller_and_model() -> None:
    async with ledger(None) as opened:
        opened.record("alice", "m", Metrics(cost_usd=1.0), failed=False)
        opened.record("alice", "n", Metrics(cost_usd=2.0), failed=True)
        opened.record("bob", "m", Metrics(cost_usd=4.0), failed=False)
        early = NOON - timedelta(days=7)
        opened.record("bob", "m", Metrics(cost_usd=8.0), failed=False, when=early)
        assert opened.spent("2026-11-24") == 7.0
        assert opened.spent("2026-11") == 15.0
        assert opened.spent("2026-11-24", caller="alice") == 3.0
        assert opened.spent("2026-11-24", model="m") == 5.0
        assert opened.spent("2026-11", model="m") == 13.0
        assert opened.spent("2026-11", caller="nobody") == 0.0
        assert opened.spent("2026-10") == 0.0


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (ALL, "abcd"),
        (UsageQuery(first_day="2026-11-24"), "bcd"),
        (UsageQuery(last_day="2026-11-24"), "abc"),
        (UsageQuery("2026-11-24", "2026-11-24"), "bc"),
        (UsageQuery(caller="alice"), "bd"),
        (UsageQuery(model="n", caller="bob"), "c"),
        (UsageQuery(model="x"), ""),
    ],
)
async def test_rows_are_chosen_and_ordered(place: Place, query: UsageQuery, wanted: str) -> None:
    rows = {
        "d": (NOON + timedelta(days=1), "alice", "m"),
        "c": (NOON, "bob", "n"),
        "b": (NOON, "alice", "m"),
        "a": (NOON - timedelta(days=1000), "bob", "m"),
    }
    names = {(when.date().isoformat(), *rest): name for name, (when, *rest) in rows.items()}
    async with ledger(place) as opened:
        for when, caller, used in rows.values():
            opened.record(caller, used, METRICS, failed=False, when=when)
        found = await opened.rows(query)
    assert "".join(names[row.day, row.caller, row.model] for row in found) == wanted


async def test_a_restart_keeps_everything(place: Place) -> None:
    days = [NOON, NOON - timedelta(days=24), NOON - timedelta(days=60)]
    async with ledger(place) as opened:
        for when in days:
            opened.record("alice", "m", METRICS, failed=False, when=when)
        before = await opened.rows(ALL)
    async with ledger(place) as opened:
        assert await opened.rows(ALL) == before
        assert len(before) == 3
        assert [opened.spent(period) for period in ("2026-11-24", "2026-11", "2026-10")] == [
            0.1
        ] * 3
        opened.record("alice", "m", METRICS, failed=True)
        assert opened.spent("2026-11", caller="alice") == 0.2
        (row,) = await opened.rows(UsageQuery(first_day="2026-11-24"))
        assert (row.requests, row.failures, row.cost_usd) == (2, 1, 0.2)


async def test_records_are_written_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = asyncio.Event()
    async with ledger(tmp_path / "r.db", pause=0.0) as opened:
        save = opened._save

        async def saved(batch: object) -> None:
            await save(batch)  # type: ignore[arg-type]
            written.set()

        monkeypatch.setattr(opened, "_save", saved)
        for _ in range(2):  # a second write begins after the first
            opened.record("alice", "m", METRICS, failed=False)
            await written.wait()
            written.clear()
        with closing(sqlite3.connect(tmp_path / "r.db")) as connection:
            found = connection.execute("SELECT requests, cost_picodollars FROM usage").fetchall()
    assert found == [(2, 200_000_000_000)]


async def test_what_is_recorded_while_others_are_written_is_not_lost(place: Place) -> None:
    async with ledger(place, pause=0.0) as opened:

        async def user(name: str) -> None:
            for _ in range(20):
                opened.record(name, "m", METRICS, failed=False)
                await opened.flush()

        await asyncio.gather(*(user(f"u{number % 3}") for number in range(6)))
        assert [row.requests for row in await opened.rows(ALL)] == [40] * 3


async def test_a_cancelled_flush_counts_nothing_twice() -> None:
    async with ledger(None) as opened:
        opened.record("alice", "m", METRICS, failed=False)
        flushing = asyncio.ensure_future(opened.flush())
        await asyncio.sleep(0)
        flushing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await flushing
        (row,) = await opened.rows(ALL)
        assert row.requests == 1


async def test_what_cannot_be_written_is_kept(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with ledger(place) as opened:
        opened.record("alice", "m", METRICS, failed=False)
        await set_read_only(opened._database, value=True)
        with pytest.raises(UnavailableError):
            await opened.flush()
        opened.record("alice", "m", METRICS, failed=False)
        with caplog.at_level(logging.WARNING):
            await opened._write()
            await opened._write()
        assert len(caplog.records) == 1
        assert opened.spent("2026-11-24") == 0.2
        await set_read_only(opened._database, value=False)
        (row,) = await opened.rows(ALL)
        assert row.requests == 2


async def test_what_is_lost_in_the_end_is_said(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with ledger(place) as opened:
        opened.record("alice", "m", METRICS, failed=False)
        await set_read_only(opened._database, value=True)
        with caplog.at_level(logging.ERROR):
            await opened.close()
        assert "usage of 1 rows is lost" in caplog.text


async def test_the_ledger_shares_the_file_with_the_models(place: Place) -> None:
    store = await RegistryStore.open(place)
    opened = await UsageLedger.open(store.database)
    for number in range(5):
        opened.record("alice", "m", METRICS, failed=False)
        await asyncio.gather(opened.flush(), store.add(model(f"m{number}")))
    assert len(store) == 5
    (row,) = await opened.rows(ALL)
    assert row.requests == 5
    await opened.close()
    await store.close()


async def test_very_many_callers_are_booked_together(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spending, "MAX_CALLERS", 3)
    async with ledger(place) as opened:
        for number in range(10):
            opened.record(f"c{number}", "m", METRICS, failed=False)
        opened.record("c1", "m", METRICS, failed=False)
    async with ledger(place) as opened:  # which remembers whom it knows
        opened.record("c9", "m", METRICS, failed=False)
        opened.record("c2", "n", METRICS, failed=False)
        assert (opened.booked_as("c1"), opened.booked_as("c9")) == ("c1", "(others)")
        rows = {(row.caller, row.model): row.requests for row in await opened.rows(ALL)}
        assert opened.spent("2026-11", caller="(others)") == pytest.approx(0.8)
    own = {("c0", "m"): 1, ("c1", "m"): 2, ("c2", "m"): 1, ("c2", "n"): 1}
    assert rows == {**own, ("(others)", "m"): 8}


async def test_old_periods_leave_the_memory() -> None:
    async with ledger(None) as opened:
        for number in range(100):
            when = NOON + timedelta(days=number)
            opened.record("alice", "m", METRICS, failed=False, when=when)
        assert set(opened._spending._periods) == {"2027-03-02", "2027-03-03", "2027-03", "2027-02"}
        opened.record("alice", "m", METRICS, failed=False)  # late, by months
        assert opened.spent("2026-11") == 0.0
        assert len(await opened.rows(UsageQuery(last_day="2026-11-30"))) == 7


@pytest.mark.parametrize("cost", [-1.0, float("nan"), float("inf"), 1e300])
async def test_claims_of_providers_stay_in_bounds(place: Place, cost: float) -> None:
    wild = replace(METRICS, cost_usd=cost, prompt_tokens=10**40, cached_tokens=-5)
    async with ledger(place) as opened:
        for _ in range(8):
            opened.record("alice", "m", wild, failed=False)
            await opened.flush()
        (row,) = await opened.rows(ALL)
        assert row.cost_usd in (0.0, MAX_COUNT / 10**12)
        assert row.cached_tokens == 0
        assert 0 < row.prompt_tokens < MAX_COUNT


async def test_damaged_usage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    async with ledger(path) as opened:
        opened.record("alice", "m", METRICS, failed=False)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("UPDATE usage SET cost_picodollars='much'")
    store = await RegistryStore.open(path)
    with pytest.raises(InvalidConfigError, match="a registry that can be read"):
        await UsageLedger.open(store.database, lambda: NOON)
    await store.close()


async def test_callers_with_a_budget_of_their_own_keep_their_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spending, "MAX_CALLERS", 1)
    async with ledger(None, named={"alice"}) as opened:
        for caller in ("x", "y", "alice"):
            opened.record(caller, "m", Metrics(cost_usd=1.0), failed=False)
        assert opened.booked_as("alice") == "alice"
        assert opened.spent("2026-11", caller="alice") == 1.0
        assert [row.caller for row in await opened.rows(ALL)] == ["(others)", "alice", "x"]


async def test_attempts_count_no_request() -> None:
    async with ledger(None) as opened:
        opened.record_attempt("alice", "m", Metrics(cost_usd=0.5), failed=True)
        opened.record("alice", "n", Metrics(cost_usd=1.0), failed=False)
        counts = [(row.requests, row.failures, row.cost_usd) for row in await opened.rows(ALL)]
        assert counts == [(0, 1, 0.5), (1, 0, 1.0)]
        assert opened.spent("2026-11", caller="alice") == 1.5


async def test_a_failed_write_is_tried_again_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    written, fails = asyncio.Event(), [True, True]
    async with ledger(None, pause=0.0) as opened:
        save = opened._save

        async def saved(batch: object) -> None:
            if fails:
                fails.pop()
                raise UnavailableError("the disk is full")
            await save(batch)  # type: ignore[arg-type]
            written.set()

        monkeypatch.setattr(opened, "_save", saved)
        opened.record("alice", "m", METRICS, failed=False)
        await written.wait()
        (row,) = await opened.rows(ALL)
    assert row.requests == 1


@pytest.mark.parametrize("field", ["first_day", "last_day"])
@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-11", "20261124", "2026-W48-2", "yesterday", " ", "2026-11-24 "]
)
async def test_days_must_be_in_the_calendar(field: str, day: str) -> None:
    async with ledger(None) as opened:
        with pytest.raises(InvalidRequestError) as caught:
            await opened.rows(replace(ALL, **{field: day}))
    assert (caught.value.field, caught.value.value) == (field, day)


RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["m", "n"]),
        st.floats(0, 100, allow_subnormal=False),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(RECORDS)
def test_the_rows_add_up_to_what_was_recorded(
    records: list[tuple[str, str, float, int, bool]],
) -> None:
    async def booked() -> tuple[list[UsageRow], float]:
        async with ledger(None) as opened:
            for caller, used, cost, days, flushed in records:
                when = NOON - timedelta(days=days)
                metrics = Metrics(cost_usd=cost)
                opened.record(caller, used, metrics, failed=False, when=when)
                if flushed:
                    await opened.flush()
            return await opened.rows(ALL), opened.spent("2026-11")

    rows, spent = asyncio.run(booked())
    wanted = sum(picodollars(cost) for _, _, cost, _, _ in records)
    assert sum(picodollars(row.cost_usd) for row in rows) == wanted
    assert picodollars(spent) == wanted
    assert sum(row.requests for row in rows) == len(records)
