"""Which rows of usage a query is about."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.registry.storage.schema import usage


def conditions(query: UsageQuery) -> list[ColumnElement[bool]]:
    """What the rows that ``query`` asks for have in common."""
    wanted = (
        (query.first_day, usage.c.day >= query.first_day),
        (query.last_day, usage.c.day <= query.last_day),
        (query.caller, usage.c.caller == storable(query.caller)),
        (query.model, usage.c.model == storable(query.model)),
    )
    return [condition for given, condition in wanted if given]


def storable(name: str) -> str:
    """``name`` without the one character that PostgreSQL does not take."""
    return name.replace("\0", "\N{REPLACEMENT CHARACTER}")
