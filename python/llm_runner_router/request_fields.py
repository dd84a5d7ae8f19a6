"""Requests and records from plain Python values, as LLMRouter accepts them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, TypedDict

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation import check_kind


class RequestFields(TypedDict, total=False):
    """Request's fields by keyword; messages may be mappings with ``role`` and ``content``."""

    raw: bool
    messages: Sequence[Message | Mapping[str, str]]
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


REQUEST_FIELDS = frozenset(field.name for field in fields(Request))
CONFIG_FIELDS = frozenset(field.name for field in fields(ModelConfig))


def request_of(
    prompt: str | Request | Mapping[str, Any] | None, values: Mapping[str, Any]
) -> Request:
    """A request from a ready one, a mapping of its fields, or a prompt; ``values`` go on top.

    ``None`` says nothing, as if the field were left out.
    """
    if isinstance(prompt, Request):
        given = {field.name: getattr(prompt, field.name) for field in fields(Request)}
    elif isinstance(prompt, Mapping):
        given = dict(prompt)
    else:
        given = {} if prompt is None else {"prompt": prompt}
    given |= values
    check_names(given, REQUEST_FIELDS)
    given = {name: value for name, value in given.items() if value is not None}
    if "messages" in given:
        given["messages"] = messages_of(given["messages"])
    return Request(**given)


def messages_of(values: Sequence[Message | Mapping[str, str]]) -> tuple[Message, ...]:
    """Messages from mappings with ``role`` and ``content``."""
    check_kind("messages", values, Sequence, "a list of messages")
    return tuple(message_of(value, index) for index, value in enumerate(values))


def message_of(value: object, index: int) -> Message:
    """One message."""
    if isinstance(value, Message):
        return value
    where = f"messages[{index}]"
    if not isinstance(value, Mapping) or value.keys() != {"role", "content"}:
        raise InvalidRequestError(where, value, "a mapping with role and content")
    try:
        return Message(Role(value["role"]), value["content"])
    except ValueError:
        allowed = f"one of {', '.join(Role)}"
        raise InvalidRequestError(f"{where}.role", value["role"], allowed) from None


def model_config_of(values: ModelConfig | Mapping[str, Any]) -> ModelConfig:
    """A model's configuration from its fields in snake_case or camelCase."""
    if isinstance(values, ModelConfig):
        return values
    check_kind("config", values, Mapping, "fields of a model's configuration by name")
    given = {snake(key): value for key, value in values.items()}
    check_names(given, CONFIG_FIELDS, "config.")
    return ModelConfig(**given)


def snake(key: str) -> str:
    """``contextLength`` as ``context_length``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def check_names(values: Mapping[str, Any], known: Collection[str], prefix: str = "") -> None:
    """No field that does not exist."""
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, 1)
            allowed = f"a known field{f', such as {near[0]}' if near else ''}"
            raise InvalidRequestError(f"{prefix}{name}", values[name], allowed)
