"""The limits of a question about usage."""

from __future__ import annotations

from datetime import date

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import UsageQuery


def check_query(query: UsageQuery) -> None:
    """InvalidRequestError names the first field that is wrong."""
    check_day("first_day", query.first_day)
    check_day("last_day", query.last_day)


def check_day(field: str, value: object) -> None:
    """A day that a calendar has, as rows write it; or empty."""
    if value == "" or (isinstance(value, str) and is_day(value)):
        return
    raise InvalidRequestError(field, value, "a day such as 2026-11-24, or nothing")


def is_day(text: str) -> bool:
    """Whether ``text`` is a day in the one spelling that sorts as time goes."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
