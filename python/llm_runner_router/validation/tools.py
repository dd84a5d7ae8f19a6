"""The limits of tools, of the calls that models ask for, and of the shape of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.validation.json_text import MAX_JSON_TEXT, check_json_text
from llm_runner_router.validation.values import check_flag, check_list, check_text, check_word

MAX_TOOLS = 128
MAX_DESCRIPTION = 16_384
MAX_TOOL_TEXT = 2_000_000
"""Characters of all descriptions and schemas of a request together."""
MAX_TOOL_CALLS = 128
MAX_CALL_ID = 256
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_name(field: str, name: object) -> None:
    """A name as the APIs of providers take it."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise InvalidRequestError(field, name, "1 to 64 letters, digits, _ and -")


def check_tools(tools: Sequence[Tool]) -> None:
    """Tools with names of their own and JSON Schemas."""
    check_list("tools", tools, MAX_TOOLS, "tools")
    names: set[str] = set()
    for index, tool in enumerate(tools):
        check_tool(f"tools[{index}]", tool)
        if tool.name in names:
            raise InvalidRequestError(f"tools[{index}].name", tool.name, "a name of its own")
        names.add(tool.name)
    size = sum(len(tool.description) + len(tool.parameters) for tool in tools)
    if size > MAX_TOOL_TEXT:
        allowed = f"at most {MAX_TOOL_TEXT} characters in all tools together"
        raise InvalidRequestError("tools", size, allowed)


def check_tool(field: str, tool: object) -> None:
    """One tool."""
    if not isinstance(tool, Tool):
        raise InvalidRequestError(field, tool, "a tool")
    check_name(f"{field}.name", tool.name)
    check_text(f"{field}.description", tool.description, MAX_DESCRIPTION, empty=True)
    if tool.parameters != "":
        check_json_text(f"{field}.parameters", tool.parameters)


def check_tool_choice(choice: ToolChoice | None, tools: Sequence[Tool]) -> None:
    """A choice among ``tools``."""
    if choice is None:
        return
    if not isinstance(choice, ToolChoice):
        raise InvalidRequestError("tool_choice", choice, "a choice of tools")
    check_word("tool_choice.mode", choice.mode, ToolMode)
    names = [tool.name for tool in tools]
    if choice.mode is ToolMode.FUNCTION and choice.name not in names:
        allowed = f"one of the tools: {', '.join(names[:8]) or 'none is given'}"
        raise InvalidRequestError("tool_choice.name", choice.name, allowed)
    if choice.mode is not ToolMode.FUNCTION and choice.name != "":
        allowed = f"empty with mode {choice.mode}"
        raise InvalidRequestError("tool_choice.name", choice.name, allowed)
    if choice.mode is ToolMode.REQUIRED and not tools:
        raise InvalidRequestError("tool_choice.mode", choice.mode, "auto or none without tools")


def check_response_format(shape: ResponseFormat | None) -> None:
    """A shape with a schema where its kind wants one, and only there."""
    if shape is None:
        return
    if not isinstance(shape, ResponseFormat):
        raise InvalidRequestError("response_format", shape, "a format of answers")
    check_word("response_format.kind", shape.kind, FormatKind)
    check_name("response_format.name", shape.name)
    check_flag("response_format.strict", shape.strict)
    if shape.kind is FormatKind.JSON_SCHEMA:
        check_json_text("response_format.schema", shape.schema)
    elif shape.schema != "":
        allowed = f"empty with kind {shape.kind}"
        raise InvalidRequestError("response_format.schema", shape.schema, allowed)


def check_tool_calls(field: str, calls: Sequence[ToolCall]) -> None:
    """Calls that a model has asked for; their arguments may be anything."""
    check_list(field, calls, MAX_TOOL_CALLS, "calls")
    for index, call in enumerate(calls):
        where = f"{field}[{index}]"
        if not isinstance(call, ToolCall):
            raise InvalidRequestError(where, call, "a call of a tool")
        check_text(f"{where}.id", call.id, MAX_CALL_ID)
        check_text(f"{where}.name", call.name, MAX_CALL_ID)
        check_text(f"{where}.arguments", call.arguments, MAX_JSON_TEXT, empty=True)
