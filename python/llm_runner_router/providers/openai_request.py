"""Requests as OpenAI's API takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.providers.openai_dialect import Dialect
from llm_runner_router.providers.request_json import json_object
from llm_runner_router.providers.request_limits import is_set, refuse
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolCall, ToolChoice, ToolMode
from llm_runner_router.types import Message, Request

CHAT, COMPLETIONS = "/chat/completions", "/completions"

NEVER_OFFERED = ("prompt_logprobs",)
"""No server gives them with a streamed answer."""

NAMED = ("top_k", "min_p", "repeat_penalty", "seed", "ignore_eos")
"""Fields that a dialect has a name for, or refuses."""

PLAIN = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
CHAT_ONLY = ("tools", "tool_choice", "response_format")
RESERVED = frozenset(("model", "messages", "prompt", "stream", "stream_options", "n"))
"""What the router itself must rule: whom is asked what, and one answer as a stream with usage."""

Body = dict[str, Any]


def path_of(request: Request) -> str:
    """The endpoint: text goes on from a raw prompt, everything else is a chat."""
    return COMPLETIONS if request.raw else CHAT


def body_of(request: Request, model: str, dialect: Dialect, options: Mapping[str, Any]) -> Body:
    """What is sent to ``path_of(request)``; ``options`` are the record's own fields of the API.

    UnsupportedError names a field that the server does not take, InvalidRequestError one with JSON
    in it that is none, or an option that the router must rule itself.
    """
    unnamed = [name for name in NAMED if name not in dialect.names]
    refuse(request, (*NEVER_OFFERED, *unnamed, *sorted(dialect.refused)), "this provider's API")
    body: Body = {"model": model}
    body |= continued(request) if request.raw else chat(request, dialect)
    body["stream"] = True
    if dialect.usage_option:
        body["stream_options"] = {"include_usage": True}
    body |= sampling(request, dialect)
    return (
        body
        | extra("endpoint.options", options)
        | extra("provider_options", request.provider_options)
    )


def continued(request: Request) -> Body:
    """A prompt to go on from."""
    refuse(request, CHAT_ONLY, "a raw prompt")
    wishes = {"max_tokens": request.max_tokens, "logprobs": request.logprobs}
    return {"prompt": request.prompt, **present(wishes)}


def chat(request: Request, dialect: Dialect) -> Body:
    """A conversation."""
    wishes = {
        dialect.max_tokens: request.max_tokens,
        "logprobs": None if request.logprobs is None else True,
        "top_logprobs": request.logprobs or None,
        "tools": [tool_of(tool, index) for index, tool in enumerate(request.tools)] or None,
        "tool_choice": choice_of(request.tool_choice),
        "response_format": format_of(request.response_format),
    }
    return {"messages": messages_of(request), **present(wishes)}


def sampling(request: Request, dialect: Dialect) -> Body:
    """How tokens are chosen and when they end."""
    wishes = {name: getattr(request, name) for name in PLAIN}
    wishes |= {
        dialect.names[name]: getattr(request, name)
        for name in NAMED
        if is_set(getattr(request, name))
    }
    wishes["stop"] = list(request.stop) or None
    wishes["logit_bias"] = {str(key): bias for key, bias in request.logit_bias.items()} or None
    return present(wishes)


def present(wishes: Mapping[str, Any]) -> Body:
    """Those that say something."""
    return {name: wish for name, wish in wishes.items() if wish is not None}


def extra(field: str, options: Mapping[str, Any]) -> Body:
    """Fields of the API that go as they are."""
    for name in options:
        if name in RESERVED:
            allowed = "fields of the provider's API that the router does not set itself"
            raise InvalidRequestError(f"{field}.{name}", options[name], allowed)
    return dict(options)


def messages_of(request: Request) -> list[Body]:
    """The conversation."""
    if request.prompt is not None:
        return [{"role": "user", "content": request.prompt}]
    return [message_of(message) for message in request.messages]


def message_of(message: Message) -> Body:
    """One turn."""
    said: Body = {"role": message.role.value, "content": message.content}
    if message.tool_calls:
        said |= {"content": message.content or None, "tool_calls": calls_of(message.tool_calls)}
    if message.tool_call_id:
        said["tool_call_id"] = message.tool_call_id
    return said


def calls_of(calls: Iterable[ToolCall]) -> list[Body]:
    """The calls that the model asked for; their arguments stay as it wrote them."""
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in calls
    ]


def tool_of(tool: Tool, index: int) -> Body:
    """A function with the schema of its parameters."""
    function: Body = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = json_object(f"tools[{index}].parameters", tool.parameters)
    return {"type": "function", "function": function}


def choice_of(choice: ToolChoice | None) -> object:
    """Which tools the model calls."""
    if choice is None:
        return None
    if choice.mode is ToolMode.FUNCTION:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode.value


def format_of(wanted: ResponseFormat | None) -> Body | None:
    """The shape of the answer; text is what comes anyway."""
    if wanted is None or wanted.kind is FormatKind.TEXT:
        return None
    if wanted.kind is FormatKind.JSON:
        return {"type": "json_object"}
    schema = json_object("response_format.schema", wanted.schema)
    described = {"name": wanted.name, "schema": schema, "strict": wanted.strict}
    return {"type": "json_schema", "json_schema": described}
