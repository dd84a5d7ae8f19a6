"""Measurements of models that outlive the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.records import MeasurementRow
from llm_runner_router.registry.storage.database import Database
from llm_runner_router.registry.storage.rows import measurement_of
from llm_runner_router.registry.storage.schema import measurements

Key = tuple[str, int]


class MeasurementTable:
    """What was saved last, in the database and in memory.

    Rows that other processes save in a database that they share stay, but for those of the same
    model and length class.
    """

    def __init__(self, database: Database, rows: Sequence[MeasurementRow]) -> None:
        self._database = database
        self._rows = rows

    @property
    def rows(self) -> Sequence[MeasurementRow]:
        """What was saved last."""
        return self._rows

    async def save(self, rows: Sequence[MeasurementRow]) -> None:
        """Put ``rows`` in the place of what was saved or read here before."""
        await self._database.exclusively(lambda: self._save(tuple(rows)))

    async def _save(self, rows: Sequence[MeasurementRow]) -> None:
        before = {key_of(row): row for row in self._rows}
        after = {key_of(row): row for row in rows}
        new = [row for key, row in after.items() if before.get(key) != row]
        gone = [*(before.keys() - after.keys()), *(key_of(row) for row in new)]
        async with self._database.begin() as connection:
            # Two processes that save at once would both insert what neither sees.
            await self._database.location.claim(connection)
            if gone:
                await connection.execute(DELETE, [{"of": key[0], "class": key[1]} for key in gone])
            if new:
                await connection.execute(insert(measurements), [asdict(row) for row in new])
        self._rows = rows


async def read_measurements(connection: AsyncConnection) -> Sequence[MeasurementRow]:
    """All rows."""
    rows = (await connection.execute(select(measurements))).mappings().all()
    return tuple(measurement_of(dict(row)) for row in rows)


def key_of(row: MeasurementRow) -> Key:
    """What a row is of."""
    return row.model, row.length_class


DELETE = delete(measurements).where(
    measurements.c.model == bindparam("of"), measurements.c.length_class == bindparam("class")
)
