"""JSON objects that stay objects on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from llm_runner_router.validation.json_text import EXACT, check_json_object


def struct_to_wire(values: Mapping[str, Any], path: str) -> Struct:
    """The message of a JSON object; InvalidRequestError of ``path`` for what is none."""
    check_json_object(path, values)
    message = Struct()
    message.update(values)
    return message


def struct_from_wire(message: Struct) -> dict[str, Any]:
    """A JSON object. The wire knows only floating-point numbers: whole ones become ints again."""
    return {key: value_from_wire(value) for key, value in message.fields.items()}


def value_from_wire(value: Value) -> object:
    """One JSON value; one that says nothing is null."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_from_wire(value.struct_value)
    if kind == "list_value":
        return [value_from_wire(item) for item in value.list_value.values]
    if kind == "number_value":
        return number_from_wire(value.number_value)
    return None if kind in (None, "null_value") else getattr(value, kind)


def number_from_wire(number: float) -> int | float:
    """An int where the number is one beyond doubt."""
    return int(number) if number.is_integer() and abs(number) <= EXACT else number
