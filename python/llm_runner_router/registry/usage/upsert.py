"""How counts are added to the rows of usage that are there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, case
from sqlalchemy.dialects import postgresql, sqlite

from llm_runner_router.registry.storage.schema import usage
from llm_runner_router.registry.usage.counts import COUNTS, MAX_COUNT

Insert = postgresql.Insert | sqlite.Insert

KEY_COLUMNS = (usage.c.day, usage.c.caller, usage.c.model)


def adding(insert: Insert) -> Insert:
    """``insert``, which adds to the row that there is, up to MAX_COUNT."""
    return insert.on_conflict_do_update(
        index_elements=KEY_COLUMNS,
        set_={name: bounded(usage.c[name], insert.excluded[name]) for name in COUNTS},
    )


def bounded(there: ColumnElement[int], more: ColumnElement[int]) -> ColumnElement[int]:
    """Their sum; none on the way to it is too large for 64 bits."""
    return case((there > MAX_COUNT - more, MAX_COUNT), else_=there + more)


UPSERTS: Final[Mapping[str, Insert]] = {
    "postgresql": adding(postgresql.insert(usage)),
    "sqlite": adding(sqlite.insert(usage)),
}
"""By the name of the database's dialect."""
