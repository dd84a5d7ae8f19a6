"""What Ollama's API is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.providers.ollama_request import NOT_OFFERED, body_of
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, ModelFormat, Request, Role

RECORD = ModelRecord("m", "m", ModelFormat.API, "llama3", provider="ollama")
SCHEMA = {"type": "object", "properties": {"z": {"properties": {"deep": {}}}, "a": {}}}


def test_the_least_request() -> None:
    assert body_of(Request(prompt="hi"), RECORD) == {
        "model": "llama3",
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
        "options": {},
    }


def test_a_raw_prompt_is_generated_from() -> None:
    assert body_of(Request(prompt="hi", raw=True), RECORD) == {
        "model": "llama3",
        "stream": True,
        "prompt": "hi",
        "raw": True,
        "options": {},
    }
    with pytest.raises(UnsupportedError, match=r"^tools: "):
        body_of(Request(prompt="hi", raw=True, tools=(Tool("add"),)), RECORD)


def test_every_option_passes() -> None:
    request = Request(
        prompt="hi",
        max_tokens=1,
        temperature=0.0,
        top_p=0.2,
        top_k=3,
        min_p=0.4,
        seed=0,
        repeat_penalty=1.6,
        frequency_penalty=0.7,
        presence_penalty=0.8,
        stop=("x",),
    )
    record = ModelRecord("m", "m", ModelFormat.API, "llama3", ModelConfig(context_length=4096))
    assert body_of(request, record)["options"] == {
        "num_predict": 1,
        "temperature": 0.0,
        "top_p": 0.2,
        "top_k": 3,
        "min_p": 0.4,
        "seed": 0,
        "repeat_penalty": 1.6,
        "frequency_penalty": 0.7,
        "presence_penalty": 0.8,
        "num_ctx": 4096,
        "stop": ["x"],
    }


def test_fields_of_the_api_pass_later_ones_first() -> None:
    request = Request(prompt="hi", temperature=0.5)
    first = {"keep_alive": "5m", "think": True, "options": {"num_gpu": 1, "mirostat": 1}}
    body = body_of(request, RECORD, first, {"think": False, "options": {"num_gpu": 2}})
    assert body["keep_alive"] == "5m"
    assert body["think"] is False
    assert body["options"] == {"temperature": 0.5, "num_gpu": 2, "mirostat": 1}
    assert first["options"] == {"num_gpu": 1, "mirostat": 1}
    with pytest.raises(InvalidRequestError, match="options"):
        body_of(request, RECORD, {"options": "many"})


def test_a_conversation_with_tools() -> None:
    messages = (
        Message(Role.SYSTEM, "be brief"),
        Message(Role.USER, "weather?"),
        Message(Role.ASSISTANT, "", (ToolCall("1", "weather", '{"in": "Rome"}'),)),
        Message(Role.TOOL, "sunny", tool_call_id="1"),
        Message(Role.TOOL, "lost", tool_call_id="9"),
    )
    tools = (Tool("weather", "tells", json.dumps(SCHEMA)), Tool("now"))
    body = body_of(Request(messages=messages, tools=tools), RECORD)
    call = {"function": {"name": "weather", "arguments": {"in": "Rome"}}}
    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "weather?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "sunny", "tool_name": "weather"},
        {"role": "tool", "content": "lost"},
    ]
    weather, now = (tool["function"] for tool in body["tools"])
    assert weather == {"name": "weather", "description": "tells", "parameters": SCHEMA}
    assert now["parameters"] == {"type": "object", "properties": {}}


def test_choices_of_tools() -> None:
    def asked(mode: ToolMode) -> dict[str, Any]:
        choice = ToolChoice(mode)
        return body_of(Request(prompt="hi", tools=(Tool("add"),), tool_choice=choice), RECORD)

    assert "tools" in asked(ToolMode.AUTO)
    assert "tools" not in asked(ToolMode.NONE)
    for mode in (ToolMode.REQUIRED, ToolMode.FUNCTION):
        with pytest.raises(UnsupportedError, match=r"^tool_choice: "):
            asked(mode)


def test_shapes_of_answers() -> None:
    def asked(wanted: ResponseFormat) -> object:
        return body_of(Request(prompt="hi", response_format=wanted), RECORD).get("format")

    assert asked(ResponseFormat()) is None
    assert asked(ResponseFormat(FormatKind.JSON)) == "json"
    assert asked(ResponseFormat(FormatKind.JSON_SCHEMA, schema=json.dumps(SCHEMA))) == SCHEMA


WISHES: dict[str, Any] = {
    "logprobs": 0,
    "prompt_logprobs": 0,
    "logit_bias": {1: 1.0},
    "ignore_eos": True,
}


@pytest.mark.parametrize("field", NOT_OFFERED)
def test_what_the_api_does_not_offer_is_named(field: str) -> None:
    with pytest.raises(UnsupportedError, match=f"^{field}: "):
        body_of(Request(prompt="hi", **{field: WISHES[field]}), RECORD)
