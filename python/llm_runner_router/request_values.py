"""Values of this package out of plain ones: mappings, words and JSON objects.

Keys may be spelled in snake_case or camelCase, ``None`` says nothing, and what cannot be meant is
an InvalidRequestError that names the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

from llm_runner_router.errors import FieldError, InvalidRequestError
from llm_runner_router.hidden import hidden, shown_address
from llm_runner_router.validation.json_text import check_json_object

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)

Converter = Callable[[Any, str], object]
"""Makes a field out of a plain value; the text is the path of the field."""


def made(
    kind: type[T], value: object, path: str, converters: Mapping[str, Converter] | None = None
) -> T:
    """``value`` itself where it is a ``kind`` already, else one of its fields by name."""
    if isinstance(value, kind):
        return value
    given = named(value, path, f"a {kind.__name__}, or its fields by name")
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    check_names(given, known, f"{path}.")
    for name, field in known.items():
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and name not in given:
            raise InvalidRequestError(f"{path}.{name}", None, "a value")
    for name, convert in (converters or {}).items():
        if name in given:
            given[name] = convert(given[name], f"{path}.{name}")
    return kind(**given)


def named(values: object, path: str, allowed: str) -> dict[str, Any]:
    """The items of a mapping that say something, under snake_case names, each once."""
    if not isinstance(values, Mapping):
        raise InvalidRequestError(path, shown_address(values), allowed)
    given: dict[str, Any] = {}
    for key, value in values.items():
        if not isinstance(key, str):
            raise InvalidRequestError(f"{path} key", key, "the name of a field")
        if value is None:
            continue
        if given.setdefault(snake(key), value) != value:
            allowed = "the field in one spelling only"
            raise InvalidRequestError(f"{path}.{key}", hidden(value), allowed)
    return given


def word(kind: type[W]) -> Callable[[object, str], W]:
    """Reads a word of an enumeration."""

    def read(value: object, path: str) -> W:
        if not isinstance(value, str) or value not in tuple(kind):
            raise InvalidRequestError(path, value, f"one of {', '.join(kind)}")
        return kind(value)

    return read


def listed(convert: Callable[[Any, str], T]) -> Callable[[object, str], tuple[T, ...]]:
    """Reads a list of which ``convert`` reads the items."""

    def read(values: object, path: str) -> tuple[T, ...]:
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise InvalidRequestError(path, values, "a list")
        return tuple(convert(value, f"{path}[{index}]") for index, value in enumerate(values))

    return read


def json_text(value: object, path: str) -> object:
    """A JSON object as text, its properties in their order; what is text already stays."""
    if not isinstance(value, Mapping):
        return value
    check_json_object(path, value)
    return json.dumps(dict(value), ensure_ascii=False)


def snake(key: str) -> str:
    """``contextLength`` as ``context_length``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def check_names(
    values: Iterable[str],
    known: Collection[str],
    prefix: str = "",
    error: type[FieldError] = InvalidRequestError,
) -> None:
    """No field that does not exist; ``error`` names the first, and what was meant perhaps."""
    for name in values:
        if name not in known:
            near = get_close_matches(snake(name), known, 1)
            allowed = f"a known field{f', such as {near[0]}' if near else ''}"
            raise error.unknown(f"{prefix}{name}", allowed)
