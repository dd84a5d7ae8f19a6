"""Tools that a model may call, and the shape that an answer must have.

JSON travels as text, so that the order of a schema's properties survives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for. ``parameters`` is a JSON Schema as text."""

    name: str
    description: str = ""
    parameters: str = ""


class ToolMode(StrEnum):
    """Whether the model calls tools."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    FUNCTION = "function"  # the one that ToolChoice names


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Which tools the model calls; ``name`` belongs to FUNCTION alone."""

    mode: ToolMode = ToolMode.AUTO
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model asks for. ``arguments`` is JSON as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the call at ``index``: id and name come once, arguments in pieces."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class FormatKind(StrEnum):
    """What an answer consists of."""

    TEXT = "text"
    JSON = "json"
    JSON_SCHEMA = "json-schema"


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The shape of an answer; ``name`` and ``schema`` (JSON Schema as text) with JSON_SCHEMA."""

    kind: FormatKind = FormatKind.TEXT
    name: str = "answer"
    schema: str = ""
    strict: bool = True
