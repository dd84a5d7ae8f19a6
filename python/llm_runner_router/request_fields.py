"""Requests from plain Python values, as LLMRouter accepts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypedDict

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
from llm_runner_router.request_names import STREAMING, present_names
from llm_runner_router.request_values import check_names, json_text, listed, made, word
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation.request import check_kind


class RequestFields(TypedDict, total=False):
    """Request's fields by keyword.

    Whatever is a type of this package may be a mapping of its fields instead; where one field says
    it all, its word or text alone: ``tool_choice="required"``, ``response_format="json"``,
    ``cache="bypass"``, ``template="greeting"``. JSON Schemas may be mappings too. ``strategy``,
    ``fallbacks`` and ``requirements`` go into ``routing``.
    """

    raw: bool
    messages: Sequence[Message | Mapping[str, Any]]
    model: str | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    seed: int | None
    stop: Sequence[str]
    repeat_penalty: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    logprobs: int | None
    prompt_logprobs: int | None
    logit_bias: Mapping[int, float]
    ignore_eos: bool
    metadata: Mapping[str, str]
    tools: Sequence[Tool | Mapping[str, Any]]
    tool_choice: ToolChoice | ToolMode | str | Mapping[str, Any] | None
    response_format: ResponseFormat | FormatKind | str | Mapping[str, Any] | None
    provider_options: Mapping[str, Any]
    routing: Routing | Mapping[str, Any]
    strategy: Strategy | str | None
    fallbacks: Sequence[str]
    requirements: Requirements | Mapping[str, Any]
    cache: CacheControl | CacheMode | str | Mapping[str, Any]
    priority: Priority | str
    template: TemplateUse | str | Mapping[str, Any] | None


INTO_ROUTING = frozenset({"strategy", "fallbacks", "requirements"})
REQUEST_FIELDS = frozenset(field.name for field in fields(Request)) | INTO_ROUTING


Given = str | Request | Mapping[str, Any] | None


def request_of(prompt: Given, values: Mapping[str, Any]) -> Request:
    """A request from a ready one, a mapping of its fields, or a prompt; ``values`` go on top.

    ``None`` says nothing, as if the field were left out. Names may be spelled in camelCase, and
    those of older versions still work and warn. A wish for a stream is refused.
    """
    request, streaming = asked_of(prompt, values)
    if streaming:
        allowed = "false here; process_stream answers as it goes, and process where it is true"
        raise InvalidRequestError(STREAMING, streaming, allowed)
    return request


def streamed_request_of(prompt: Given, values: Mapping[str, Any]) -> Request:
    """As ``request_of``, for an answer that is streamed in any case."""
    request, streaming = asked_of(prompt, values)
    if streaming is False:
        raise InvalidRequestError(STREAMING, streaming, "true here; process answers whole")
    return request


def asked_of(prompt: Given, values: Mapping[str, Any]) -> tuple[Request, bool | None]:
    """The request, and whether its answer is to be streamed; ``None``: nothing is said of that."""
    given = given_fields(prompt) | present_names(values)
    streaming = given.pop(STREAMING, None)
    if streaming is not None:
        check_kind(STREAMING, streaming, bool, "true or false")
    check_names(given, REQUEST_FIELDS)
    request = Request(**converted({name: v for name, v in given.items() if v is not None}))
    return request, streaming


def given_fields(prompt: Given) -> dict[str, Any]:
    """The fields of what stands in the place of a prompt."""
    if isinstance(prompt, Request):
        return {field.name: getattr(prompt, field.name) for field in fields(Request)}
    if isinstance(prompt, Mapping):
        return present_names(prompt)
    return {} if prompt is None else {"prompt": prompt}


def converted(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a request as a request has them."""
    for name, convert in CONVERTERS.items():
        if name in given:
            given[name] = convert(given[name], name)
    on_top = {name: given.pop(name) for name in INTO_ROUTING & given.keys()}
    if on_top:
        given["routing"] = replace(given.get("routing", Routing()), **on_top)
    return given


def messages_of(values: Sequence[Message | Mapping[str, Any]]) -> tuple[Message, ...]:
    """Messages from mappings with ``role`` and ``content``."""
    check_kind("messages", values, Sequence, "a list of messages")
    return listed(message_of)(values, "messages")


def message_of(value: object, path: str) -> Message:
    """One message; what calls tools need not say anything."""
    if isinstance(value, Mapping) and (value.get("tool_calls") or value.get("toolCalls")):
        value = {**value, "content": value.get("content") or ""}
    return made(Message, value, path, {"role": word(Role), "tool_calls": listed(tool_call_of)})


def tool_call_of(value: object, path: str) -> ToolCall:
    """A call that a model has asked for."""
    return made(ToolCall, value, path)


def tool_of(value: object, path: str) -> Tool:
    """One tool."""
    return made(Tool, value, path, {"parameters": json_text})


def tool_choice_of(value: object, path: str) -> ToolChoice:
    """A choice of tools, or its mode alone."""
    if isinstance(value, str):
        return ToolChoice(word(ToolMode)(value, path))
    return made(ToolChoice, value, path, {"mode": word(ToolMode)})


def response_format_of(value: object, path: str) -> ResponseFormat:
    """The shape of an answer, or its kind alone."""
    if isinstance(value, str):
        return ResponseFormat(word(FormatKind)(value, path))
    return made(ResponseFormat, value, path, {"kind": word(FormatKind), "schema": json_text})


def routing_of(value: object, path: str) -> Routing:
    """How the answering model is chosen."""
    return made(Routing, value, path, {"strategy": word(Strategy), "requirements": requirements_of})


def requirements_of(value: object, path: str) -> Requirements:
    """What a model must offer."""
    return made(Requirements, value, path)


def cache_of(value: object, path: str) -> CacheControl:
    """What becomes of the cache of answers, or the mode alone."""
    if isinstance(value, str):
        return CacheControl(word(CacheMode)(value, path))
    return made(CacheControl, value, path, {"mode": word(CacheMode)})


def template_use_of(value: object, path: str) -> TemplateUse:
    """A template and its variables, or its id alone."""
    return TemplateUse(value) if isinstance(value, str) else made(TemplateUse, value, path)


CONVERTERS: Mapping[str, Callable[[Any, str], object]] = {
    "messages": lambda value, _path: messages_of(value),
    "tools": listed(tool_of),
    "tool_choice": tool_choice_of,
    "response_format": response_format_of,
    "routing": routing_of,
    "strategy": word(Strategy),
    "requirements": requirements_of,
    "cache": cache_of,
    "priority": word(Priority),
    "template": template_use_of,
}
"""The fields that may be given as plain values, and how each is read."""
