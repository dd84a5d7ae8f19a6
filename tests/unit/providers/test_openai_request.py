from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.providers.openai_dialect import DIALECTS, dialect_of
from llm_runner_router.providers.openai_request import RESERVED, body_of, path_of
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role

USAGE = {"include_usage": True}


def body(request: Request, provider: str = "openai", **options: Any) -> dict[str, Any]:
    return body_of(request, "m", dialect_of(provider), options)


def test_every_field_of_a_chat() -> None:
    request = Request(
        messages=(
            Message(Role.SYSTEM, "be kind"),
            Message(Role.USER, "weather?"),
            Message(Role.ASSISTANT, "", (ToolCall("c1", "look", '{"at": 1}'),)),
            Message(Role.TOOL, "rain", tool_call_id="c1"),
        ),
        max_tokens=9,
        temperature=0.0,
        top_p=0.5,
        seed=0,
        stop=("END",),
        frequency_penalty=0.25,
        presence_penalty=-0.5,
        logprobs=2,
        logit_bias={7: -100.0},
        metadata={"ours": "alone"},
        tools=(Tool("look", "looks", '{"type": "object"}'), Tool("bare")),
        tool_choice=ToolChoice(ToolMode.FUNCTION, "look"),
        response_format=ResponseFormat(FormatKind.JSON_SCHEMA, "shape", '{"b": 1, "a": 2}'),
        provider_options={"user": "u"},
    )
    function = {"name": "look", "description": "looks", "parameters": {"type": "object"}}
    assert body(request, service_tier="flex") == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "weather?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "look", "arguments": '{"at": 1}'},
                    }
                ],
            },
            {"role": "tool", "content": "rain", "tool_call_id": "c1"},
        ],
        "max_completion_tokens": 9,
        "logprobs": True,
        "top_logprobs": 2,
        "tools": [
            {"type": "function", "function": function},
            {"type": "function", "function": {"name": "bare"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "shape", "schema": {"b": 1, "a": 2}, "strict": True},
        },
        "stream": True,
        "stream_options": USAGE,
        "temperature": 0.0,
        "top_p": 0.5,
        "frequency_penalty": 0.25,
        "presence_penalty": -0.5,
        "seed": 0,
        "stop": ["END"],
        "logit_bias": {"7": -100.0},
        "service_tier": "flex",
        "user": "u",
    }


def test_what_is_not_said_is_not_sent() -> None:
    assert body(Request(prompt="x")) == {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "stream": True,
        "stream_options": USAGE,
    }


def test_a_raw_prompt() -> None:
    request = Request(prompt="x", raw=True, max_tokens=3, logprobs=0)
    assert path_of(request) == "/completions"
    assert body(request) == {
        "model": "m",
        "prompt": "x",
        "max_tokens": 3,
        "logprobs": 0,
        "stream": True,
        "stream_options": USAGE,
    }
    with pytest.raises(UnsupportedError, match="tools"):
        body(Request(prompt="x", raw=True, tools=(Tool("f"),)))


@pytest.mark.parametrize(
    ("choice", "sent"),
    [(ToolMode.AUTO, "auto"), (ToolMode.NONE, "none"), (ToolMode.REQUIRED, "required")],
)
def test_choices_of_tools(choice: ToolMode, sent: str) -> None:
    assert body(Request(prompt="x", tool_choice=ToolChoice(choice)))["tool_choice"] == sent


def test_formats() -> None:
    wanted = ResponseFormat(FormatKind.JSON)
    assert body(Request(prompt="x", response_format=wanted))["response_format"] == {
        "type": "json_object"
    }
    assert "response_format" not in body(Request(prompt="x", response_format=ResponseFormat()))


def test_samplers_go_where_they_are_known() -> None:
    request = Request(prompt="x", top_k=5, min_p=0.1, repeat_penalty=1.5, ignore_eos=True)
    sent = body(request, "vllm")
    names = ("top_k", "min_p", "repetition_penalty", "ignore_eos")
    assert [sent[name] for name in names] == [5, 0.1, 1.5, True]
    assert body(request, "llama-server")["repeat_penalty"] == 1.5


@pytest.mark.parametrize("provider", ["openai", "groq", "tgi", "openai-compatible"])
@pytest.mark.parametrize(
    "field", [{"top_k": 0}, {"min_p": 0.0}, {"repeat_penalty": 1.0}, {"ignore_eos": True}]
)
def test_elsewhere_they_are_refused(provider: str, field: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match=next(iter(field))):
        body(Request(prompt="x", **field), provider)


def test_prompt_logprobs_come_with_no_stream() -> None:
    for provider in ("vllm", "openai"):
        with pytest.raises(UnsupportedError, match="prompt_logprobs"):
            body(Request(prompt="x", prompt_logprobs=0), provider)


def test_dialects() -> None:
    assert body(Request(prompt="x", max_tokens=3), "azure-openai")["max_completion_tokens"] == 3
    assert body(Request(prompt="x", max_tokens=3), "groq")["max_tokens"] == 3
    mistral = body(Request(prompt="x", seed=3), "mistral")
    assert mistral["random_seed"] == 3
    assert "stream_options" not in mistral
    with pytest.raises(UnsupportedError, match="seed"):
        body(Request(prompt="x", seed=3), "deepseek")
    with pytest.raises(UnsupportedError, match="logit_bias"):
        body(Request(prompt="x", logit_bias={1: 1.0}), "ollama-openai")


def test_what_is_refused_are_fields_of_a_request() -> None:
    for dialect in DIALECTS.values():
        for name in (*dialect.refused, *dialect.names):
            assert hasattr(Request(), name)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_options_that_the_router_rules(name: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        body(Request(prompt="x", provider_options={name: 1}))
    assert raised.value.field == f"provider_options.{name}"
    with pytest.raises(InvalidRequestError, match=rf"endpoint\.options\.{name}"):
        body_of(Request(prompt="x"), "m", dialect_of("openai"), {name: 1})


def test_the_request_overrides_the_record() -> None:
    sent = body(Request(prompt="x", top_p=0.5, provider_options={"user": "b"}), user="a", top_p=1)
    assert (sent["user"], sent["top_p"]) == ("b", 1)


def test_schemas_must_be_json() -> None:
    with pytest.raises(InvalidRequestError, match=r"tools\[0\]\.parameters"):
        body(Request(prompt="x", tools=(Tool("f", "", "{"),)))
