"""Requests from plain values: what may be left to words and mappings, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.request_fields import REQUEST_FIELDS, RequestFields, request_of
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role

SCHEMA = {"type": "object", "properties": {"b": {}, "a": {}}}
SCHEMA_TEXT = '{"type": "object", "properties": {"b": {}, "a": {}}}'


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (
            {"tools": [{"name": "f", "parameters": SCHEMA}]},
            {"tools": (Tool("f", "", SCHEMA_TEXT),)},
        ),
        ({"tools": [Tool("f")]}, {"tools": (Tool("f"),)}),
        ({"tool_choice": "required"}, {"tool_choice": ToolChoice(ToolMode.REQUIRED)}),
        (
            {"tool_choice": {"mode": "function", "name": "f"}},
            {"tool_choice": ToolChoice(ToolMode.FUNCTION, "f")},
        ),
        ({"response_format": "json"}, {"response_format": ResponseFormat(FormatKind.JSON)}),
        (
            {"response_format": {"kind": "json-schema", "schema": SCHEMA, "strict": False}},
            {
                "response_format": ResponseFormat(
                    FormatKind.JSON_SCHEMA, schema=SCHEMA_TEXT, strict=False
                )
            },
        ),
        (
            {
                "routing": {
                    "strategy": "canary",
                    "maxAttempts": 2,
                    "requirements": {"localOnly": True},
                }
            },
            {"routing": Routing(Strategy.CANARY, Requirements(local_only=True), max_attempts=2)},
        ),
        ({"strategy": "random"}, {"routing": Routing(Strategy.RANDOM)}),
        (
            {
                "routing": Routing(hedge=True),
                "fallbacks": ["b"],
                "requirements": {"min_quality": 0},
            },
            {"routing": Routing(None, Requirements(min_quality=0), ["b"], hedge=True)},
        ),
        ({"cache": "bypass"}, {"cache": CacheControl(CacheMode.BYPASS)}),
        (
            {"cache": {"anySampling": True, "ttl": 0}},
            {"cache": CacheControl(any_sampling=True, ttl=0)},
        ),
        ({"priority": "high"}, {"priority": Priority.HIGH}),
        ({"template": "t"}, {"template": TemplateUse("t")}),
        (
            {"template": {"id": "t", "variables": {"a": "b"}}},
            {"template": TemplateUse("t", {"a": "b"})},
        ),
        (
            {"messages": [{"role": "tool", "content": "42", "toolCallId": "1"}]},
            {"messages": (Message(Role.TOOL, "42", (), "1"),)},
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"id": "1", "name": "f", "arguments": "{}"}],
                    }
                ]
            },
            {"messages": (Message(Role.ASSISTANT, "", (ToolCall("1", "f", "{}"),)),)},
        ),
        ({"provider_options": {"a": 1}}, {"provider_options": {"a": 1}}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_plain_values_become_what_they_mean(given: Any, meant: dict[str, Any]) -> None:
    assert request_of(None, given) == Request(**meant)
    assert request_of(given, {}) == Request(**meant)


def test_keywords_go_on_top_of_the_routing_of_a_request() -> None:
    base = Request(prompt="x", routing=Routing(Strategy.RANDOM, fallbacks=("a",)))
    assert request_of(base, {"strategy": "balanced"}).routing == Routing(
        Strategy.BALANCED, fallbacks=("a",)
    )


def test_every_field_of_a_request_has_a_keyword() -> None:
    known = set(RequestFields.__annotations__) - {"strategy", "fallbacks", "requirements"}
    assert known | {"prompt"} == set(Request.__dataclass_fields__)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"tools": 5}, "tools"),
        ({"tools": "f"}, "tools"),
        ({"tools": [5]}, "tools[0]"),
        ({"tools": [{"description": "nameless"}]}, "tools[0].name"),
        ({"tools": [{"name": "f", "params": {}}]}, "tools[0].params"),
        ({"tools": [{"name": "f", "parameters": {"x": float("nan")}}]}, "tools[0].parameters.x"),
        ({"tool_choice": "all"}, "tool_choice"),
        ({"tool_choice": {"mode": 5}}, "tool_choice.mode"),
        ({"response_format": "yaml"}, "response_format"),
        ({"routing": {"strategy": "best"}}, "routing.strategy"),
        ({"routing": {"requirements": {"quality": 1}}}, "routing.requirements.quality"),
        ({"routing": 5}, "routing"),
        ({"strategy": ["random"]}, "strategy"),
        ({"cache": "never"}, "cache"),
        ({"priority": 1}, "priority"),
        ({"template": {}}, "template.id"),
        ({"template": {5: 6}}, "template key"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"messages": [{"role": "assistant", "toolCalls": [{"id": "1"}]}]},
            "messages[0].tool_calls[0].name",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_meant_is_named(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request_of("x", given)
    assert caught.value.field == field


@pytest.mark.parametrize("name", sorted(REQUEST_FIELDS))
def test_another_spelling_of_a_field_names_the_field(name: str) -> None:
    spelled = "".join(map(str.capitalize, name.split("_")))
    with pytest.raises(InvalidRequestError) as caught:
        request_of({spelled: 1}, {})
    assert caught.value.allowed == f"a known field, such as {name}"
