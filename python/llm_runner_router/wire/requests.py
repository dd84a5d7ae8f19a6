"""Requests: ProcessRequest and its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llm_runner_router.preferences import CacheControl, Priority, Routing
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.v1 import router_pb2, types_pb2
from llm_runner_router.wire.fields import (
    assign,
    check_instance,
    extend,
    fill,
    numbered,
    present,
)
from llm_runner_router.wire.routing import (
    PRIORITIES,
    cache_from_wire,
    cache_to_wire,
    routing_from_wire,
    routing_to_wire,
    template_use_from_wire,
    template_use_to_wire,
)
from llm_runner_router.wire.structs import struct_from_wire, struct_to_wire
from llm_runner_router.wire.tools import (
    calls_from_wire,
    calls_to_wire,
    choice_from_wire,
    choice_to_wire,
    format_from_wire,
    format_to_wire,
    tools_from_wire,
    tools_to_wire,
)
from llm_runner_router.wire.words import Words

OPTIONAL = (
    "prompt",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "prompt_logprobs",
)
"""Fields for which "not said" differs from zero."""

ROLES = Words(
    {
        types_pb2.ROLE_SYSTEM: Role.SYSTEM,
        types_pb2.ROLE_USER: Role.USER,
        types_pb2.ROLE_ASSISTANT: Role.ASSISTANT,
        types_pb2.ROLE_TOOL: Role.TOOL,
    }
)

DEFAULT_ROUTING = Routing()
DEFAULT_CACHE = CacheControl()


def request_from_wire(message: router_pb2.ProcessRequest) -> Request:
    """The request of a message. Ranges are checked where the request is worked on."""
    return Request(
        **present(message, OPTIONAL),
        raw=message.raw,
        messages=messages_from_wire(message.messages),
        model=message.model or None,
        stop=tuple(message.stop),
        logit_bias=dict(message.logit_bias),
        ignore_eos=message.ignore_eos,
        metadata=dict(message.metadata),
        **wishes_from_wire(message),
    )


def wishes_from_wire(message: router_pb2.ProcessRequest) -> dict[str, Any]:
    """What goes beyond sampling, as far as it is said."""
    said: dict[str, Any] = {
        name: convert(getattr(message, name))
        for name, convert in WISHES.items()
        if message.HasField(name)
    }
    said["tools"] = tools_from_wire(message.tools)
    said["priority"] = PRIORITIES.word(message.priority, "priority")
    return said


WISHES: Mapping[str, Callable[[Any], object]] = {
    "tool_choice": choice_from_wire,
    "response_format": format_from_wire,
    "provider_options": struct_from_wire,
    "routing": routing_from_wire,
    "cache": cache_from_wire,
    "template": template_use_from_wire,
}
"""The fields that are messages, and how each is read."""


def request_to_wire(request: Request) -> router_pb2.ProcessRequest:
    """The message of a request; InvalidRequestError for a value that it cannot hold."""
    message = router_pb2.ProcessRequest()
    for name in OPTIONAL:
        value = getattr(request, name)
        if value is not None:
            assign(message, name, value)
    assign(message, "raw", request.raw)
    assign(message, "model", request.model or "")
    assign(message, "ignore_eos", request.ignore_eos)
    message.messages.extend(messages_to_wire(request.messages))
    extend(message, "stop", request.stop)
    extend(message, "logit_bias", request.logit_bias)
    extend(message, "metadata", request.metadata)
    add_wishes(message, request)
    return message


def add_wishes(message: router_pb2.ProcessRequest, request: Request) -> None:
    """What goes beyond sampling. Defaults are left out: most requests say nothing of it."""
    message.tools.extend(tools_to_wire(request.tools))
    if request.tool_choice is not None:
        message.tool_choice.CopyFrom(choice_to_wire(request.tool_choice))
    if request.response_format is not None:
        message.response_format.CopyFrom(format_to_wire(request.response_format))
    if request.provider_options != {}:
        options = struct_to_wire(request.provider_options, "provider_options")
        message.provider_options.CopyFrom(options)
    if request.routing != DEFAULT_ROUTING:
        message.routing.CopyFrom(routing_to_wire(request.routing))
    if request.cache != DEFAULT_CACHE:
        message.cache.CopyFrom(cache_to_wire(request.cache))
    if request.priority != Priority.NORMAL:
        message.priority = PRIORITIES.number(request.priority, "priority")
    if request.template is not None:
        message.template.CopyFrom(template_use_to_wire(request.template))


def messages_from_wire(messages: Iterable[types_pb2.Message]) -> tuple[Message, ...]:
    """Turns of a conversation; a role that does not exist is an InvalidRequestError."""
    return tuple(
        Message(
            ROLES.word(message.role, f"messages[{index}].role"),
            message.content,
            calls_from_wire(message.tool_calls),
            message.tool_call_id,
        )
        for index, message in enumerate(messages)
    )


def messages_to_wire(messages: Sequence[Message]) -> list[types_pb2.Message]:
    """Turns of a conversation as messages."""
    return [message_to_wire(message, path) for path, message in numbered("messages", messages)]


def message_to_wire(message: Message, path: str) -> types_pb2.Message:
    """One turn of a conversation."""
    check_instance(path, message, Message)
    result = types_pb2.Message(
        role=ROLES.number(message.role, f"{path}.role"),
        tool_calls=calls_to_wire(message.tool_calls, f"{path}.tool_calls"),
    )
    fill(result, message, path, ("content", "tool_call_id"))
    return result
