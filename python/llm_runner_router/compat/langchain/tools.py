"""Tools, choices among them and shapes of answers, from LangChain's and OpenAI's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.tools import ToolMode

ANY = frozenset(("any", "required"))
MODES = ANY | {"auto", "none"}


def tool_of(tool: object, *, strict: bool | None = None) -> dict[str, Any]:
    """A tool of any kind that LangChain knows, in OpenAI's form."""
    try:
        return convert_to_openai_tool(tool, strict=strict)  # type: ignore[arg-type]  # tried
    except (TypeError, ValueError) as error:
        allowed = f"a tool, a function, a pydantic class or a JSON Schema ({error})"
        raise InvalidRequestError("tools", tool, allowed) from None


def choice_of(choice: object, names: Sequence[str]) -> str | dict[str, Any] | None:
    """A choice of ``bind_tools`` in OpenAI's form; ``None`` leaves it to the model."""
    if choice is None or choice is False:
        return None
    if isinstance(choice, str) and choice in MODES and choice not in names:
        return "required" if choice in ANY else choice
    if choice is True:
        return "required"
    name = named(choice)
    if name not in names:
        allowed = f"auto, none, any, required or a tool: {', '.join(names) or 'none is given'}"
        raise InvalidRequestError("tool_choice", choice, allowed)
    return {"type": "function", "function": {"name": name}}


def named(choice: object) -> object:
    """The name of the tool that a choice means: its own, OpenAI's or Anthropic's form."""
    if not isinstance(choice, Mapping):
        return choice
    function = choice.get("function")
    return function.get("name") if isinstance(function, Mapping) else choice.get("name")


def request_tool(tool: object) -> object:
    """A tool of a call as a request takes it."""
    if not isinstance(tool, Mapping) or not isinstance(tool.get("function"), Mapping):
        return tool
    function = tool["function"]
    fields = {name: function.get(name) for name in ("name", "description", "parameters")}
    return {name: value for name, value in fields.items() if value is not None}


def request_choice(choice: object) -> object:
    """A choice of a call as a request takes it."""
    if isinstance(choice, Mapping) and "function" in choice:
        return {"mode": ToolMode.FUNCTION, "name": named(choice)}
    return ToolMode.REQUIRED if choice == "any" else choice


def request_format(shape: object) -> object:
    """A shape of a call as a request takes it: our own form, or OpenAI's with a ``type``."""
    if not isinstance(shape, Mapping) or "type" not in shape:
        return shape
    kind = shape["type"]
    if kind == "json_object":
        return "json"
    described = shape.get("json_schema")
    if kind != "json_schema" or not isinstance(described, Mapping):
        return kind
    return {
        "kind": "json-schema",
        "name": described.get("name", "answer"),
        "schema": described.get("schema"),
        "strict": bool(described.get("strict", False)),
    }
