"""JSON in requests and records: as text where the order of properties matters, else as objects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import hidden
from llm_runner_router.validation.values import check_text, is_number

MAX_JSON_TEXT = 1_000_000
MAX_JSON_DEPTH = 16
MAX_JSON_VALUES = 4096
MAX_JSON_STRING = 1_000_000
MAX_JSON_KEY = 256
EXACT = 2**53
"""Whole numbers up to here are exact in JSON and on the wire."""

ALLOWED_VALUE = (
    "text, a finite number (whole ones up to 2^53), true, false, null, lists and objects"
)


def check_json_text(field: str, text: str, most: int = MAX_JSON_TEXT) -> None:
    """Text that is one JSON object, such as a JSON Schema."""
    check_text(field, text, most)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidRequestError(field, text, "a JSON object as text") from None
    if not isinstance(value, dict):
        raise InvalidRequestError(field, text, "a JSON object as text")


def check_json_object(field: str, values: Mapping[str, Any]) -> None:
    """An object that JSON can express, of bounded depth and size."""
    if not isinstance(values, Mapping):
        raise InvalidRequestError(field, hidden(values), "fields by name")
    left = MAX_JSON_VALUES
    level: list[tuple[str, object]] = [(field, dict(values))]
    for _ in range(MAX_JSON_DEPTH):
        left -= len(level)
        if left < 0:
            raise InvalidRequestError(field, values, f"at most {MAX_JSON_VALUES} values in all")
        level = [inner for path, value in level for inner in inside(path, value)]
        if not level:
            return
    raise InvalidRequestError(field, values, f"at most {MAX_JSON_DEPTH} levels of nesting")


def inside(path: str, value: object) -> list[tuple[str, object]]:
    """What a value holds, with its paths; InvalidRequestError where JSON has no such value."""
    if isinstance(value, dict):
        for key in value:
            check_text(f"{path} key", key, MAX_JSON_KEY)
        return [(f"{path}.{key}", item) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    if isinstance(value, str):
        check_text(path, value, MAX_JSON_STRING, empty=True)
    elif not (value is None or is_exact(value)):
        raise InvalidRequestError(path, value, ALLOWED_VALUE)
    return []


def is_exact(value: object) -> bool:
    """A number that arrives as it was sent."""
    if isinstance(value, int):
        return abs(value) <= EXACT
    return is_number(value)
