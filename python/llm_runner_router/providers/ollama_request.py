"""Requests as Ollama's own API takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.providers.request_json import call_arguments, json_object
from llm_runner_router.providers.request_limits import refuse
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolChoice, ToolMode
from llm_runner_router.types import Message, Request

NOT_OFFERED = ("logprobs", "prompt_logprobs", "logit_bias", "ignore_eos")
"""Fields of a request that this API has nothing for."""

NOT_OFFERED_RAW = ("tools",)
"""Fields that go with a conversation only."""

OPTIONS = {
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "seed": "seed",
    "repeat_penalty": "repeat_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
"""Ollama's names of sampling fields, and ours."""

Body = dict[str, Any]


def body_of(request: Request, record: ModelRecord, *extras: Mapping[str, Any]) -> Body:
    """The body of ``/api/generate`` for a raw prompt, else of ``/api/chat``.

    ``extras`` are fields of the API itself, later ones before earlier ones; what they say under
    ``options`` is added to the options. UnsupportedError names a field that the API does not
    offer, InvalidRequestError one with JSON in it that is none.
    """
    refuse(request, NOT_OFFERED, "Ollama's API")
    said = raw_prompt(request) if request.raw else conversation(request)
    shape = format_of(request.response_format)
    body = {"model": record.source, "stream": True} | said | ({"format": shape} if shape else {})
    options = options_of(request, record)
    for extra in extras:
        options |= extra_options(extra)
        body |= extra
    return body | {"options": options}


def extra_options(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options among fields of the API."""
    options = extra.get("options", {})
    if not isinstance(options, Mapping):
        raise InvalidRequestError("provider_options.options", options, "options by name")
    return options


def raw_prompt(request: Request) -> Body:
    """A prompt that is not put into a template."""
    refuse(request, NOT_OFFERED_RAW, "Ollama's API with a raw prompt")
    return {"prompt": request.prompt, "raw": True}


def conversation(request: Request) -> Body:
    """Messages and tools."""
    body: Body = {"messages": messages_of(request)}
    if request.tools and tools_allowed(request.tool_choice):
        body["tools"] = [tool_of(tool, index) for index, tool in enumerate(request.tools)]
    return body


def messages_of(request: Request) -> list[Body]:
    """The turns; a prompt is one of the user's."""
    if request.prompt is not None:
        return [{"role": "user", "content": request.prompt}]
    names = call_names(request.messages)
    return [message_of(message, index, names) for index, message in enumerate(request.messages)]


def call_names(messages: Sequence[Message]) -> Mapping[str, str]:
    """Which tool each call asked for: Ollama tells results apart by that name."""
    return {call.id: call.name for message in messages for call in message.tool_calls}


def message_of(message: Message, index: int, names: Mapping[str, str]) -> Body:
    """One turn."""
    turn: Body = {"role": message.role.value, "content": message.content}
    calls = [
        {"function": {"name": call.name, "arguments": arguments}}
        for call, arguments in call_arguments(message, index)
    ]
    if calls:
        turn["tool_calls"] = calls
    if message.tool_call_id in names:
        turn["tool_name"] = names[message.tool_call_id]
    return turn


def tool_of(tool: Tool, index: int) -> Body:
    """A tool with the schema of its arguments."""
    schema = json_object(f"tools[{index}].parameters", tool.parameters)
    parameters = schema or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}


def tools_allowed(choice: ToolChoice | None) -> bool:
    """Whether the model may call tools; nothing can make it."""
    mode = ToolMode.AUTO if choice is None else choice.mode
    if mode in (ToolMode.REQUIRED, ToolMode.FUNCTION):
        raise UnsupportedError(f"tool_choice: Ollama's API does not offer {mode}")
    return mode is ToolMode.AUTO


def format_of(wanted: ResponseFormat | None) -> str | Body | None:
    """The shape of the answer."""
    if wanted is None or wanted.kind is FormatKind.TEXT:
        return None
    if wanted.kind is FormatKind.JSON:
        return "json"
    return json_object("response_format.schema", wanted.schema)


def options_of(request: Request, record: ModelRecord) -> Body:
    """How the model is run and sampled, as far as anything is said about it."""
    options = {theirs: getattr(request, ours) for theirs, ours in OPTIONS.items()}
    options["num_ctx"] = record.config.context_length
    options["stop"] = list(request.stop) or None
    return {name: value for name, value in options.items() if value is not None}
