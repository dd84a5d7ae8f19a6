"""The data that Ollama gives to a template, as values over the variables of a chat template."""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.errors import shorten
from llm_runner_router.prompt.go_tokens import Place
from llm_runner_router.prompt.go_values import NO_VALUE, Kind, Value, absent, constant

_NO_LIST, _NO_TOOLS = "[]", "null"
_THINKS = "Thinking"


def conversation_data(names: frozenset[str]) -> Mapping[str, Value]:
    """The data of a template that goes through the messages itself."""
    return _common(names) | {
        "System": Value(Kind.TEXT, "v.system"),
        "Messages": Value(Kind.MESSAGES, "v.runs", count="v.count"),
        "Tools": absent(_NO_TOOLS),
        "Response": constant(""),
    }


def turn_data(names: frozenset[str]) -> Mapping[str, Value]:
    """The data of a template that is rendered once for each turn."""
    return _common(names) | {
        "System": Value(Kind.TEXT, "v.system"),
        "Prompt": Value(Kind.TEXT, "v.prompt"),
        "Response": Value(Kind.TEXT, "v.response"),
    }


def field_of(value: Value, name: str, root: Mapping[str, Value], place: Place) -> Value:
    """A field of ``value``; GoTemplateError where such a value has none of that name."""
    match value.kind:
        case Kind.ROOT:
            return root.get(name, absent(NO_VALUE))
        case Kind.ABSENT:
            return absent(NO_VALUE)
        case Kind.MESSAGE:
            return _message_field(value.code, name, place)
        case _:
            raise place.error(f"{value.kind.value} has no field {shorten(name, 40)}")


def _common(names: frozenset[str]) -> dict[str, Value]:
    # Nobody can ask for thinking or against it: then Ollama asks models for it that can think,
    # which it tells by the template.
    thinks = _THINKS in names
    return {
        "Think": constant(thinks),
        "ThinkLevel": constant("medium" if thinks else ""),
        "IsThinkSet": constant(thinks),
    }


def _message_field(code: str, name: str, place: Place) -> Value:
    fields = {
        "Role": Value(Kind.TEXT, f"messages[{code}|int].role", truth=True),
        "Content": Value(Kind.TEXT, f"content({code})"),
        "Thinking": constant(""),
        "ToolName": constant(""),
        "ToolCallID": constant(""),
        "Images": absent(_NO_LIST),
        "ToolCalls": absent(_NO_LIST),
    }
    if name not in fields:
        raise place.error(
            f"a message has no field {shorten(name, 40)}; it has: {', '.join(fields)}"
        )
    return fields[name]
