"""Values of older settings in the kinds of today: JavaScript takes "10" for 10 and 0 for false."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from inspect import isclass
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo

NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?")

TRUTH_WORDS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
"""What says true and false in texts, as environment variables do."""


def kind_of(field: FieldInfo) -> Any:  # noqa: ANN401 - any type
    """The type of a setting, but for ``None``."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType]
    return kinds[0] if may_be_null(field) and kinds else field.annotation


def may_be_null(field: FieldInfo) -> bool:
    """Whether ``null`` is a value of the setting."""
    return NoneType in get_args(field.annotation)


def converted(field: FieldInfo, value: object) -> object:
    """``value`` in the type of the setting where it plainly means one.

    Whatever else it is comes back as it is, for the check of the configuration to refuse.
    """
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
        return TRUTH_WORDS.get(value.strip().lower(), value)
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
