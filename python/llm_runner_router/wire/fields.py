"""Setting fields of protobuf messages from values that nobody has checked yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_runner_router.errors import FieldError, InvalidRequestError
from llm_runner_router.validation.values import check_kind

ALLOWED = {
    FieldDescriptor.CPPTYPE_UINT32: "a whole number from 0 to 4294967295",
    FieldDescriptor.CPPTYPE_INT32: "a whole number from -2147483648 to 2147483647",
    FieldDescriptor.CPPTYPE_DOUBLE: "a number",
    FieldDescriptor.CPPTYPE_BOOL: "true or false",
    FieldDescriptor.CPPTYPE_STRING: "text that can be encoded as UTF-8",
}

T = TypeVar("T")

ErrorMaker = Callable[[str, object, str], FieldError]


def allowed(message: Message, name: str) -> str:
    """What the field ``name`` takes, in words."""
    field = message.DESCRIPTOR.fields_by_name[name]
    if field.message_type is not None:  # a map: what its values take
        field = field.message_type.fields_by_name.get("value", field)
    return ALLOWED.get(field.cpp_type, "a value of its type")


def assign(
    message: Message,
    name: str,
    value: object,
    *,
    path: str = "",
    error: ErrorMaker = InvalidRequestError,
) -> None:
    """Set a scalar field. A value that it cannot hold is a FieldError of ``path``."""
    try:
        setattr(message, name, value)
    except (TypeError, ValueError, OverflowError):
        raise error(path or name, value, allowed(message, name)) from None


def extend(message: Message, name: str, values: Iterable[Any], *, path: str = "") -> None:
    """Append to a repeated scalar field, or fill a map from a mapping."""
    target = getattr(message, name)
    try:
        target.update(values) if hasattr(target, "update") else target.extend(values)
    except (TypeError, ValueError, OverflowError, AttributeError):
        raise InvalidRequestError(path or name, values, f"each: {allowed(message, name)}") from None


def fill(message: Message, source: object, path: str, names: Iterable[str]) -> None:
    """Set the scalar fields ``names`` from the attributes of ``source``; ``None`` is left out.

    ``path`` is where ``source`` stands in the request.
    """
    for name in names:
        value = getattr(source, name)
        if value is not None:
            assign(message, name, value, path=f"{path}.{name}")


def check_instance(path: str, value: object, kind: type) -> None:
    """InvalidRequestError of ``path`` where ``value`` is nothing that can be converted."""
    if not isinstance(value, kind):
        raise InvalidRequestError(path, value, f"a value of the type {kind.__name__}")


def numbered(path: str, values: Sequence[T]) -> list[tuple[str, T]]:
    """The items of a list with their paths."""
    check_kind(path, values, Sequence, "a list")
    return [(f"{path}[{index}]", value) for index, value in enumerate(values)]


def present(message: Message, names: Iterable[str]) -> dict[str, Any]:
    """The optional fields among ``names`` that are set."""
    return {name: getattr(message, name) for name in names if message.HasField(name)}
