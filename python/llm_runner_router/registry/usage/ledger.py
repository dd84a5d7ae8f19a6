"""What callers used of models, by day: in memory at once, in the database soon after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.changes.repeated import Repeated
from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.registry.storage.database import DAMAGED, Database
from llm_runner_router.registry.storage.schema import usage
from llm_runner_router.registry.usage.conditions import conditions, storable
from llm_runner_router.registry.usage.counts import COUNTS, UsageCounts, dollars
from llm_runner_router.registry.usage.query_checks import check_query
from llm_runner_router.registry.usage.spending import Spending, Spent, last_month
from llm_runner_router.registry.usage.upsert import KEY_COLUMNS, UPSERTS
from llm_runner_router.types import Metrics

logger = logging.getLogger(__name__)

Key = tuple[str, str, str]
"""Day, caller, model."""

PAUSE = 1.0
"""Seconds from a record to its write; all records of that time are written together.

A write holds the event loop up for some 5 ms, whatever it writes. A kill loses what is unwritten.
"""

REFRESH = 2.0
"""Seconds after which it is looked again what other processes have booked."""


def nobody() -> Container[str]:
    """No caller at all."""
    return ()


class UsageLedger:
    """Belongs to one event loop. Use ``open``; close it before the database.

    What ``record`` was given is lost only by a kill before the next write, which begins ``pause``
    seconds later: a write a request would take longer than the rest of the request's way. One that
    fails is tried again as long after. ``named`` tells the callers that have rows of their own
    however many others there are.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        pause: float,
        named: Callable[[], Container[str]],
    ) -> None:
        self._database = database
        self._named = named
        self._now = now
        self._spending = Spending()
        self._unwritten: dict[Key, UsageCounts] = {}
        self._passing = asyncio.Lock()
        self._pause = pause
        self._timer: asyncio.TimerHandle | None = None
        self._writer: asyncio.Task[None] | None = None
        self._failing = False
        self._closed = False
        self._refreshing: Repeated | None = None

    @classmethod
    async def open(
        cls,
        database: Database,
        now: Callable[[], datetime] | None = None,
        *,
        pause: float = PAUSE,
        named: Callable[[], Container[str]] = nobody,
        refresh: float = REFRESH,
    ) -> UsageLedger:
        """The ledger of a database. ``now`` tells the time with its zone.

        What other processes book in a database that they share counts in ``spent`` once they have
        written it and ``refresh`` seconds have passed.

        InvalidConfigError where the file's usage cannot be read.
        """
        ledger = cls(database, now or utc_now, pause, named)
        try:
            await database.exclusively(ledger._load)
        except DAMAGED as error:
            raise database.damaged(error) from None
        if database.shared:
            complaint = "what others have spent cannot be read"
            ledger._refreshing = Repeated(ledger._refresh, refresh, complaint)
        return ledger

    def record(
        self,
        caller: str,
        model: str,
        metrics: Metrics,
        *,
        failed: bool,
        when: datetime | None = None,
    ) -> None:
        """Book a request; it counts from now on in ``rows`` and ``spent``. Does not wait."""
        self._book(caller, model, UsageCounts.of(metrics, failed=failed), when)

    def record_attempt(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        """Book what a request took of a model before another one answered: no request more."""
        counts = replace(UsageCounts.of(metrics, failed=failed), requests=0)
        self._book(caller, model, counts, None)

    async def rows(self, query: UsageQuery) -> list[UsageRow]:
        """The usage that ``query`` asks for, by day, caller and model.

        InvalidRequestError names a day that is none. UnavailableError where what was recorded last
        cannot be written.
        """
        check_query(query)
        await self.flush()
        rows = await self._database.exclusively(lambda: self._read_rows(query))
        # Not by the database: the order of texts depends on its locale.
        return sorted(rows, key=lambda row: (row.day, row.caller, row.model))

    def spent(self, period: str, caller: str = "", model: str = "") -> float:
        """US dollars spent by a caller, else on a model, else in all.

        ``period`` is today, yesterday, this month or the last one (``2026-11-24``, ``2026-11``).
        """
        sums = self._spending.of(period)
        if caller:
            return dollars(sums.callers.get(caller, 0))
        return dollars(sums.models.get(model, 0) if model else sums.total)

    def booked_as(self, caller: str) -> str:
        """The name under which ``caller`` is booked: its own, but for very many callers."""
        return self._name(day_of(self._now()), caller)

    async def flush(self) -> None:
        """Wait until all that was recorded before is on disk; UnavailableError where it cannot be.

        What could not be written is kept for the next time.
        """
        await asyncio.shield(asyncio.ensure_future(self._pass()))

    async def close(self) -> None:
        """Flush, and stop writing. The database may be closed then.

        What cannot be written is lost; the log says so.
        """
        self._closed = True
        if self._refreshing is not None:
            await self._refreshing.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._writer is not None:
            await self._writer
        try:
            await self.flush()
        except UnavailableError as error:
            logger.error("usage of %d rows is lost: %s", len(self._unwritten), error)  # noqa: TRY400

    def _name(self, day: str, caller: str) -> str:
        caller = storable(caller)
        return caller if caller in self._named() else self._spending.booked_as(day, caller)

    def _book(self, caller: str, model: str, counts: UsageCounts, when: datetime | None) -> None:
        day = day_of(when or self._now())
        name = self._name(day, caller)
        self._spending.add(day, name, model, counts.cost_picodollars)
        self._add((day, name, model), counts)
        self._schedule()

    def _schedule(self) -> None:
        """A write of what is unwritten, in time."""
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._begin)

    def _add(self, key: Key, counts: UsageCounts) -> None:
        present = self._unwritten.setdefault(key, counts)
        if present is not counts:
            present.add(counts)

    def _begin(self) -> None:
        self._timer = None
        self._writer = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        try:
            await self._pass()
            self._failing = False
        except UnavailableError as error:
            if not self._failing:
                logger.warning("usage stays in memory until it can be written: %s", error)
            self._failing = True

    async def _pass(self) -> None:
        async with self._passing:
            batch, self._unwritten = self._unwritten, {}
            if not batch:
                return
            try:
                await self._database.exclusively(lambda: self._save(batch))
            except BaseException:
                for key, counts in batch.items():
                    self._add(key, counts)
                self._schedule()
                raise

    async def _save(self, batch: dict[Key, UsageCounts]) -> None:
        # In the order of keys: two processes that add to the same rows never wait for each other.
        values = [
            dict(zip(("day", "caller", "model"), key, strict=True))
            | {name: getattr(counts, name) for name in COUNTS}
            for key, counts in sorted(batch.items(), key=lambda item: item[0])
        ]
        async with self._database.begin() as connection:
            await connection.execute(UPSERTS[connection.dialect.name], values)

    async def _load(self) -> None:
        first = f"{last_month(self._now().astimezone(UTC).date())}-01"
        for day, caller, model, cost in await self._read_costs(first):
            self._spending.add(day, caller, model, cost)

    async def _refresh(self) -> None:
        """Bring in what other processes have booked since yesterday; of days before, they are done.

        Nothing of ours is being written meanwhile: it is in the rows or unwritten, never both.
        """
        today = self._now().astimezone(UTC).date()
        first = (today - timedelta(days=1)).isoformat()
        days = {first: Spent(), today.isoformat(): Spent()}
        async with self._passing:
            found = await self._database.exclusively(lambda: self._read_costs(first))
            ours = [(*key, counts.cost_picodollars) for key, counts in self._unwritten.items()]
            for day, caller, model, cost in (*found, *ours):
                if day in days:
                    days[day].add(caller, model, cost)
            for day, spent in days.items():
                self._spending.correct(day, spent)

    async def _read_rows(self, query: UsageQuery) -> list[UsageRow]:
        async with self._database.begin() as connection:
            found = await connection.execute(select(usage).where(*conditions(query)))
        return [
            UsageCounts(*(row[name] for name in COUNTS)).row(
                row["day"], row["caller"], row["model"]
            )
            for row in found.mappings()
        ]

    async def _read_costs(self, first: str) -> list[tuple[str, str, str, int]]:
        """Day, caller, model and picodollars of all rows from the day ``first`` on."""
        columns = (*KEY_COLUMNS, usage.c.cost_picodollars)
        wanted = select(*columns).where(usage.c.day >= first).order_by(usage.c.day)
        async with self._database.begin() as connection:
            found = (await connection.execute(wanted)).all()
        return [(day, caller, model, int(cost)) for day, caller, model, cost in found]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def day_of(when: datetime) -> str:
    """The day in UTC."""
    return when.astimezone(UTC).date().isoformat()
