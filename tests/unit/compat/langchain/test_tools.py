from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from llm_runner_router.compat.langchain.tools import (
    choice_of,
    request_choice,
    request_format,
    request_tool,
    tool_of,
)
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.request_fields import request_of
from llm_runner_router.tools import FormatKind, ResponseFormat, ToolChoice, ToolMode

NAMED = {"type": "function", "function": {"name": "add"}}


class Add(BaseModel):
    """Adds."""

    a: int


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, None),
        (False, None),
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("add", NAMED),
        (NAMED, NAMED),
        ({"type": "tool", "name": "add"}, NAMED),
    ],
)
def test_choices(given: object, wanted: object) -> None:
    assert choice_of(given, ["add", "sub"]) == wanted


def test_a_choice_of_no_tool_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"tool_choice: 'div' .* tool: add, sub"):
        choice_of("div", ["add", "sub"])
    with pytest.raises(InvalidRequestError, match=r"none is given"):
        choice_of({"type": "function"}, [])


def test_a_tool_keeps_its_name_description_and_schema() -> None:
    fields: Any = {"tools": [request_tool(tool_of(Add))]}
    (tool,) = request_of("x", fields).tools
    assert (tool.name, tool.description) == ("Add", "Adds.")
    assert '"a": {"type": "integer"}' in tool.parameters
    assert '"required": ["a"]' in tool.parameters


def test_strict_closes_the_schema() -> None:
    assert tool_of(Add, strict=True)["function"]["parameters"]["additionalProperties"] is False
    assert "additionalProperties" not in tool_of(Add)["function"]["parameters"]


def test_what_is_no_tool_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"tools: {'a': 1} .*allowed: a tool"):
        tool_of({"a": 1})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("any", ToolChoice(ToolMode.REQUIRED)),
        ("required", ToolChoice(ToolMode.REQUIRED)),
        ("none", ToolChoice(ToolMode.NONE)),
        (NAMED, ToolChoice(ToolMode.FUNCTION, "add")),
    ],
)
def test_choices_of_a_request(given: object, wanted: ToolChoice) -> None:
    assert request_of("x", {"tool_choice": request_choice(given)}).tool_choice == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("json", ResponseFormat(FormatKind.JSON)),
        ({"type": "json_object"}, ResponseFormat(FormatKind.JSON)),
        ({"type": "text"}, ResponseFormat(FormatKind.TEXT)),
        ({"kind": "json"}, ResponseFormat(FormatKind.JSON)),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"b": 1, "a": 2}}},
            ResponseFormat(FormatKind.JSON_SCHEMA, "n", '{"b": 1, "a": 2}', strict=False),
        ),
        (
            {"type": "json_schema", "json_schema": {"schema": {}, "strict": True}},
            ResponseFormat(FormatKind.JSON_SCHEMA, "answer", "{}", strict=True),
        ),
    ],
)
def test_shapes_of_a_request(given: object, wanted: ResponseFormat) -> None:
    assert request_of("x", {"response_format": request_format(given)}).response_format == wanted
