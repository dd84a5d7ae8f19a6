"""Models, aliases and templates as they are from some change on: written, and read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.changes.log import Kind
from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate
from llm_runner_router.registry.storage import schema
from llm_runner_router.registry.storage.rows import (
    alias_of,
    alias_row,
    model_of,
    model_row,
    template_of,
    template_row,
)

Record = ModelRecord | Alias | PromptTemplate
Key = tuple[Kind, str]
Document = Mapping[str, Any]

GONE: BindParameter[str] = bindparam("gone")


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing and what an import said of it beyond its record; ``None``: there is none any more."""

    kind: Kind
    id: str
    record: Record | None
    extras: Document | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where records of a kind are kept, and how."""

    table: Table
    to_row: Callable[[Any], dict[str, Any]]
    from_row: Callable[[Mapping[str, Any]], Any]


SHELVES: Mapping[Kind, Shelf] = {
    "model": Shelf(schema.models, model_row, model_of),
    "alias": Shelf(schema.aliases, alias_row, alias_of),
    "template": Shelf(schema.templates, template_row, template_of),
}


async def write_entries(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Put ``entries`` in the place of what was there. Each thing occurs once."""
    for kind, shelf in SHELVES.items():
        gone = [{"gone": entry.id} for entry in entries if entry.kind == kind]
        if gone:
            await connection.execute(delete(shelf.table).where(shelf.table.c.id == GONE), gone)
        rows = [
            storable(shelf.to_row(entry.record))
            for entry in entries
            if entry.kind == kind and entry.record is not None
        ]
        if rows:
            await connection.execute(insert(shelf.table), rows)
    await write_extras(connection, entries)


async def write_extras(connection: AsyncConnection, entries: Sequence[Entry]) -> None:
    """The documents of ``entries``, and none where they have none."""
    table = schema.extras
    gone = [{"gone_kind": entry.kind, "gone": entry.id} for entry in entries]
    this = (table.c.kind == bindparam("gone_kind"), table.c.id == GONE)
    await connection.execute(delete(table).where(*this), gone)
    rows = [
        # In ASCII: then no character can be one that a database does not take.
        {"kind": entry.kind, "id": entry.id, "document": json.dumps(entry.extras)}
        for entry in entries
        if entry.extras is not None
    ]
    if rows:
        await connection.execute(insert(table), rows)


async def read_records(
    connection: AsyncConnection, kind: Kind, ids: Collection[str] | None = None
) -> dict[str, Any]:
    """The records of a kind by their ids, all or some."""
    shelf = SHELVES[kind]
    wanted = select(shelf.table)
    if ids is not None:
        wanted = wanted.where(shelf.table.c.id.in_(ids))
    rows = (await connection.execute(wanted)).mappings().all()
    return {row["id"]: shelf.from_row(dict(row)) for row in rows}


async def read_extras(
    connection: AsyncConnection, ids: Collection[str] | None = None
) -> dict[tuple[str, str], Document]:
    """All documents, or those of some ids."""
    wanted = select(schema.extras)
    if ids is not None:
        wanted = wanted.where(schema.extras.c.id.in_(ids))
    found = await connection.execute(wanted)
    return {(kind, name): json.loads(document) for kind, name, document in found.all()}


async def read_entries(connection: AsyncConnection, keys: Sequence[Key]) -> list[Entry]:
    """What there is now of every one of ``keys``."""
    records: dict[Key, Record] = {}
    for kind in SHELVES:
        ids = [name for other, name in keys if other == kind]
        if ids:
            found = await read_records(connection, kind, ids)
            records.update({(kind, name): record for name, record in found.items()})
    extras = await read_extras(connection, [name for _, name in keys])
    return [Entry(*key, records.get(key), extras.get(key)) for key in keys]


def storable(row: dict[str, Any]) -> dict[str, Any]:
    """``row``; InvalidRequestError where PostgreSQL would not take it, on SQLite as well."""
    for column, value in row.items():
        if isinstance(value, str) and "\0" in value:
            raise InvalidRequestError(column, value, "text without NUL characters")
    return row
