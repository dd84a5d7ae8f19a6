"""Values of settings as older files write them: JavaScript takes "10" for 10 and 0 for false."""

from __future__ import annotations

import re
from enum import StrEnum
from inspect import isclass
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo

from llm_runner_router.config.sources import parse_truth

NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")
MANY_SECONDS = 100_000


def kind_of(field: FieldInfo) -> Any:  # noqa: ANN401 - any type
    """The type of a setting, but for ``None``."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType]
    return kinds[0] if may_be_null(field) and kinds else field.annotation


def may_be_null(field: FieldInfo) -> bool:
    """Whether ``null`` is a value of the setting."""
    return NoneType in get_args(field.annotation)


def not_set(field: FieldInfo, value: object) -> str:
    """Why ``value`` says nothing; empty where it does say something."""
    if value is None:
        return "null means not set"
    kind = kind_of(field)
    if value == "" and isclass(kind) and issubclass(kind, str):
        return "an empty text means not set"
    return ""


def converted(field: FieldInfo, value: object) -> object:
    """``value`` in the type of the setting where it plainly means one; else as it is."""
    kind = kind_of(field)
    if kind is bool:
        return truth(value)
    if kind is int or kind is float:
        return number(kind, value)
    if isclass(kind) and issubclass(kind, StrEnum) and isinstance(value, str):
        word = value.strip().lower()
        return word if word in frozenset(kind) else value
    return value


def truth(value: object) -> object:
    """0, 1 and the words of environment variables are true or false."""
    if isinstance(value, str):
        return parse_truth(value)
    is_number = isinstance(value, int | float) and value in (0, 1)
    return bool(value) if is_number else value


def number(kind: type[int | float], value: object) -> object:
    """A number from its digits; a whole one where the setting is whole."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        text = value.strip()
        value = float(text) if "." in text else int(text)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def remark(setting: tuple[str, ...], value: object) -> str:
    """What the user should know of the value of a setting."""
    seconds = isinstance(value, int) and not isinstance(value, bool) and value >= MANY_SECONDS
    if setting == ("cache", "ttl") and seconds:
        return f"seconds: {value} looks like milliseconds"
    return ""
