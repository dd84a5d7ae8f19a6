"""Operators and string methods of templates that can make much out of little, paid beforehand."""

# ruff: noqa: ANN401 - the values of a template are of any type

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any

from llm_runner_router.prompt.budget import Budget
from llm_runner_router.prompt.errors import ChatTemplateError

_MAX_STRIP_LETTERS = 256
_MAX_POWER = 1024

# A field of str.format that only says where: widths make gigabytes, attributes lead out.
_PLAIN_FORMAT = re.compile(r"(?:[^{}]|\{\{|\}\}|\{\w*\})*")

# No padding, nothing that encodes.
STRING_METHODS = frozenset(
    {
        "capitalize", "count", "endswith", "find", "format", "index", "isalnum", "isalpha",
        "isascii", "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper",
        "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace", "rfind",
        "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
        "swapcase", "title", "upper",
    }
)  # fmt: skip
SEQUENCE_METHODS = frozenset({"count", "index"})
MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})


def charge_operator(budget: Budget, operator: str, left: Any, right: Any) -> None:
    """Pays for ``left operator right`` before it is done."""
    if operator == "%" and isinstance(left, str):
        raise ChatTemplateError("the chat template formats text with %, which is not allowed")
    if operator == "**":
        _check_power(left, right)
    if operator == "*":
        _charge_product(budget, left, right)
    elif operator == "+":
        budget.charge(_length(left) + _length(right))


def replace(budget: Budget, text: str, old: str, new: str, count: int = -1) -> str:
    """``str.replace``, paid beforehand."""
    places = text.count(old) if count < 0 else min(count, text.count(old))
    budget.charge(len(text) + places * len(new))
    return text.replace(old, new, count)


def join(budget: Budget, separator: str, items: Sequence[str]) -> str:
    """``str.join``, paid beforehand."""
    budget.charge(len(separator) * len(items) + sum(len(item) for item in items))
    return separator.join(items)


def call_string_method(
    budget: Budget, method: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Calls a bound method of a string after paying for it."""
    text, name = str(getattr(method, "__self__", "")), method.__name__
    budget.charge(len(text))
    if name == "replace":
        return replace(budget, text, *args)
    if name == "join":
        return join(budget, text, list(*args))
    if name.endswith("strip"):
        check_strip(*args)
    if name == "format":
        _charge_format(budget, text, [*args, *kwargs.values()])
    return method(*args, **kwargs)


def check_strip(letters: str | None = None) -> None:
    """Stripping compares every letter with each of these."""
    if letters is not None and len(letters) > _MAX_STRIP_LETTERS:
        raise ChatTemplateError(
            f"the chat template strips {len(letters)} letters at once; "
            f"allowed: up to {_MAX_STRIP_LETTERS}"
        )


def _charge_format(budget: Budget, text: str, values: Sequence[Any]) -> None:
    if not _PLAIN_FORMAT.fullmatch(text):
        raise ChatTemplateError("the chat template formats text with more than {} or {name}")
    for value in values:
        budget.charge_value(value, printable=True)
        budget.charge(len(str(value)) * text.count("{"))


def _charge_product(budget: Budget, left: Any, right: Any) -> None:
    for value, times in ((left, right), (right, left)):
        if isinstance(value, Sized) and isinstance(times, int):
            budget.charge(len(value) * max(times, 0))


def _check_power(left: Any, right: Any) -> None:
    for value in (left, right):
        if isinstance(value, int) and abs(value) > _MAX_POWER:
            raise ChatTemplateError(f"the chat template raises powers above {_MAX_POWER}")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 1
