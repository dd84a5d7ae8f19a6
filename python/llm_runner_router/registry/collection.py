"""Records of one kind: in a table of the registry, and in memory for those who read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.database import Database
from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate

R = TypeVar("R", ModelRecord, Alias, PromptTemplate)


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """Where records of a kind are kept, and how."""

    table: Table
    to_row: Callable[[R], dict[str, Any]]
    from_row: Callable[[Mapping[str, Any]], R]

    async def load(self, connection: AsyncConnection) -> dict[str, R]:
        """All records by their ids."""
        rows = (await connection.execute(select(self.table))).mappings().all()
        return {row["id"]: self.from_row(dict(row)) for row in rows}


class Collection(Generic[R]):
    """Changes are made within ``database.exclusively``; memory follows what is durable."""

    def __init__(self, database: Database, kind: Kind[R], records: dict[str, R]) -> None:
        self._database = database
        self._kind: Kind[R] = kind
        self._records: dict[str, R] = records

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def get(self, name: str) -> R | None:
        """The record of that id, where there is one."""
        return self._records.get(name)

    def page(self, after: str, limit: int) -> Sequence[R]:
        """At most ``limit`` records whose ids sort behind ``after``, in the order of ids."""
        ids = sorted(name for name in self._records if name > after)
        return [self._records[name] for name in ids[:limit]]

    async def put(self, record: R) -> R:
        """Add or replace a record; it comes back with a new etag."""
        stored = replace(record, etag=secrets.token_hex(8))
        statement = insert(self._kind.table).prefix_with("OR REPLACE")
        async with self._database.begin() as connection:
            await connection.execute(statement.values(self._kind.to_row(stored)))
        self._records[stored.id] = stored
        return stored

    async def drop(self, name: str) -> None:
        """Forget a record that is there."""
        table = self._kind.table
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.id == name))
        del self._records[name]
