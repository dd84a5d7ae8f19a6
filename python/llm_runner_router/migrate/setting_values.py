"""What values of settings say beside themselves: nothing at all, or what the user should know."""

from __future__ import annotations

from inspect import isclass

from pydantic.fields import FieldInfo

from llm_runner_router.old.values import kind_of

MANY_SECONDS = 100_000


def not_set(field: FieldInfo, value: object) -> str:
    """Why ``value`` says nothing; empty where it does say something."""
    if value is None:
        return "null means not set"
    kind = kind_of(field)
    if value == "" and isclass(kind) and issubclass(kind, str):
        return "an empty text means not set"
    return ""


def remark(setting: tuple[str, ...], value: object) -> str:
    """What the user should know of the value of a setting."""
    seconds = isinstance(value, int) and not isinstance(value, bool) and value >= MANY_SECONDS
    if setting == ("cache", "ttl") and seconds:
        return f"seconds: {value} looks like milliseconds"
    return ""
