"""Tools, the calls that models ask for, and the shape of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.v1 import types_pb2
from llm_runner_router.wire.fields import check_instance, fill, numbered, present
from llm_runner_router.wire.words import Words

MODES = Words(
    {
        types_pb2.TOOL_MODE_UNSPECIFIED: ToolMode.AUTO,
        types_pb2.TOOL_MODE_AUTO: ToolMode.AUTO,
        types_pb2.TOOL_MODE_NONE: ToolMode.NONE,
        types_pb2.TOOL_MODE_REQUIRED: ToolMode.REQUIRED,
        types_pb2.TOOL_MODE_FUNCTION: ToolMode.FUNCTION,
    }
)

KINDS = Words(
    {
        types_pb2.FORMAT_KIND_UNSPECIFIED: FormatKind.TEXT,
        types_pb2.FORMAT_KIND_TEXT: FormatKind.TEXT,
        types_pb2.FORMAT_KIND_JSON: FormatKind.JSON,
        types_pb2.FORMAT_KIND_JSON_SCHEMA: FormatKind.JSON_SCHEMA,
    }
)


def tools_to_wire(tools: Sequence[Tool]) -> list[types_pb2.Tool]:
    """The tools of a request."""
    return [tool_to_wire(tool, path) for path, tool in numbered("tools", tools)]


def tool_to_wire(tool: Tool, path: str) -> types_pb2.Tool:
    """One tool."""
    check_instance(path, tool, Tool)
    message = types_pb2.Tool()
    fill(message, tool, path, ("name", "description", "parameters"))
    return message


def tools_from_wire(messages: Iterable[types_pb2.Tool]) -> tuple[Tool, ...]:
    """The tools of a request."""
    return tuple(Tool(tool.name, tool.description, tool.parameters) for tool in messages)


def choice_to_wire(choice: ToolChoice) -> types_pb2.ToolChoice:
    """Which tools the model calls."""
    check_instance("tool_choice", choice, ToolChoice)
    message = types_pb2.ToolChoice(mode=MODES.number(choice.mode, "tool_choice.mode"))
    fill(message, choice, "tool_choice", ("name",))
    return message


def choice_from_wire(message: types_pb2.ToolChoice) -> ToolChoice:
    """Which tools the model calls."""
    return ToolChoice(MODES.word(message.mode, "tool_choice.mode"), message.name)


def format_to_wire(shape: ResponseFormat) -> types_pb2.ResponseFormat:
    """The shape of an answer."""
    path = "response_format"
    check_instance(path, shape, ResponseFormat)
    message = types_pb2.ResponseFormat(kind=KINDS.number(shape.kind, f"{path}.kind"))
    fill(message, shape, path, ("name", "schema", "strict"))
    return message


def format_from_wire(message: types_pb2.ResponseFormat) -> ResponseFormat:
    """The shape of an answer."""
    kind = KINDS.word(message.kind, "response_format.kind")
    return ResponseFormat(kind, schema=message.schema, **present(message, ("name", "strict")))


def calls_to_wire(calls: Sequence[ToolCall], path: str) -> list[types_pb2.ToolCall]:
    """Calls that a model has asked for."""
    return [call_to_wire(call, where) for where, call in numbered(path, calls)]


def call_to_wire(call: ToolCall, path: str) -> types_pb2.ToolCall:
    """One call."""
    check_instance(path, call, ToolCall)
    message = types_pb2.ToolCall()
    fill(message, call, path, ("id", "name", "arguments"))
    return message


def calls_from_wire(messages: Iterable[types_pb2.ToolCall]) -> tuple[ToolCall, ...]:
    """Calls that a model has asked for."""
    return tuple(ToolCall(call.id, call.name, call.arguments) for call in messages)


def delta_to_wire(delta: ToolCallDelta) -> types_pb2.ToolCallDelta:
    """A piece of a call."""
    return types_pb2.ToolCallDelta(
        index=delta.index, id=delta.id, name=delta.name, arguments=delta.arguments
    )


def deltas_from_wire(messages: Iterable[types_pb2.ToolCallDelta]) -> tuple[ToolCallDelta, ...]:
    """Pieces of calls."""
    return tuple(
        ToolCallDelta(delta.index, delta.id, delta.name, delta.arguments) for delta in messages
    )
