"""What Anthropic's API is asked."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.providers.anthropic_request import NOT_OFFERED, body_of
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role

SCHEMA = {"type": "object", "properties": {"z": {"anyOf": [{"type": "null"}]}, "a": {}}}


def test_the_least_request() -> None:
    assert body_of(Request(prompt="hi"), "claude") == {
        "model": "claude",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_sampling_passes_where_it_is_said() -> None:
    request = Request(
        prompt="hi", max_tokens=7, temperature=0.0, top_p=0.5, top_k=3, stop=("###", "end")
    )
    body = body_of(request, "claude")
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["top_k"]) == (7, 0, 0.5, 3)
    assert body["stop_sequences"] == ["###", "end"]


def test_a_conversation_with_tools_takes_turns() -> None:
    messages = (
        Message(Role.SYSTEM, "be brief"),
        Message(Role.USER, "weather"),
        Message(Role.USER, "in Rome and Oslo?"),
        Message(
            Role.ASSISTANT,
            "",
            (ToolCall("1", "weather", '{"in": "Rome"}'), ToolCall("2", "weather", "")),
        ),
        Message(Role.TOOL, "sunny", tool_call_id="1"),
        Message(Role.TOOL, "", tool_call_id="2"),
        Message(Role.SYSTEM, "be kind"),
        Message(Role.USER, "thanks"),
        Message(Role.ASSISTANT, ""),
    )
    body = body_of(Request(messages=messages), "claude")
    assert body["system"] == "be brief\n\nbe kind"
    assert body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "weather"},
                {"type": "text", "text": "in Rome and Oslo?"},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "1", "name": "weather", "input": {"in": "Rome"}},
                {"type": "tool_use", "id": "2", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "2", "content": ""},
                {"type": "text", "text": "thanks"},
            ],
        },
    ]


@given(
    st.lists(
        st.builds(
            Message,
            st.sampled_from([Role.SYSTEM, Role.USER, Role.ASSISTANT]),
            st.sampled_from(["", "a", "b"]),
        )
    )
)
def test_roles_alternate_and_no_text_is_lost(messages: list[Message]) -> None:
    body = body_of(Request(messages=messages), "claude")
    roles = [turn["role"] for turn in body["messages"]]
    assert all(one != next_one for one, next_one in pairwise(roles))
    said = [block["text"] for turn in body["messages"] for block in turn["content"]]
    assert said == [m.content for m in messages if m.role is not Role.SYSTEM and m.content]


CHOICES: list[tuple[ToolChoice | None, dict[str, Any] | None]] = [
    (None, None),
    (ToolChoice(ToolMode.AUTO), {"type": "auto"}),
    (ToolChoice(ToolMode.NONE), {"type": "none"}),
    (ToolChoice(ToolMode.REQUIRED), {"type": "any"}),
    (ToolChoice(ToolMode.FUNCTION, "add"), {"type": "tool", "name": "add"}),
]


@pytest.mark.parametrize(("choice", "expected"), CHOICES)
def test_tools_and_choices(choice: ToolChoice | None, expected: dict[str, Any] | None) -> None:
    tools = (Tool("add", "adds", json.dumps(SCHEMA)), Tool("now"))
    body = body_of(Request(prompt="hi", tools=tools, tool_choice=choice), "claude")
    assert body.get("tool_choice") == expected
    assert body["tools"] == [
        {"name": "add", "description": "adds", "input_schema": SCHEMA},
        {"name": "now", "input_schema": {"type": "object"}},
    ]
    assert list(body["tools"][0]["input_schema"]["properties"]) == ["z", "a"]


def test_the_shape_of_the_answer() -> None:
    wanted = ResponseFormat(FormatKind.JSON_SCHEMA, schema=json.dumps(SCHEMA))
    body = body_of(Request(prompt="hi", response_format=wanted), "claude")
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    plain = Request(prompt="hi", response_format=ResponseFormat())
    assert "output_config" not in body_of(plain, "claude")
    loose = Request(prompt="hi", response_format=ResponseFormat(FormatKind.JSON))
    with pytest.raises(UnsupportedError, match="response_format"):
        body_of(loose, "claude")


WISHES: dict[str, Any] = {
    "raw": True,
    "min_p": 0.0,
    "seed": 0,
    "repeat_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "logprobs": 0,
    "prompt_logprobs": 0,
    "logit_bias": {1: 0.0},
    "ignore_eos": True,
}


@pytest.mark.parametrize("field", NOT_OFFERED)
def test_what_the_api_does_not_offer_is_named(field: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^{field}: "):
        body_of(Request(prompt="hi", **{field: WISHES[field]}), "claude")


def test_broken_json_is_named() -> None:
    calls = (ToolCall("1", "add", "[1]"),)
    request = Request(messages=[Message(Role.ASSISTANT, "", calls)])
    with pytest.raises(InvalidRequestError) as caught:
        body_of(request, "claude")
    assert caught.value.field == "messages[0].tool_calls[0].arguments"
    with pytest.raises(InvalidRequestError) as caught:
        body_of(Request(prompt="hi", tools=(Tool("a"), Tool("b", "", "{"))), "claude")
    assert caught.value.field == "tools[1].parameters"
