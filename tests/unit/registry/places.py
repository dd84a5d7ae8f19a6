"""Small helpers for tests of the store, wherever it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.storage.database import Database

Place = Path | str


def bare(record: ModelRecord) -> ModelRecord:
    """Without what the store writes into records."""
    return replace(record, etag="", created=0.0, updated=0.0)


async def set_read_only(database: Database, *, value: bool = True) -> None:
    """Let all writes fail, or let them succeed again."""
    async with database.begin() as connection:
        if connection.dialect.name == "sqlite":
            statement = f"PRAGMA query_only={value:d}"
        else:
            wanted = "ONLY" if value else "WRITE"
            statement = f"SET SESSION CHARACTERISTICS AS TRANSACTION READ {wanted}"
        await connection.exec_driver_sql(statement)
