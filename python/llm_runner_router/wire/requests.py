"""Requests: ProcessRequest and its messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.v1 import router_pb2, types_pb2
from llm_runner_router.wire.fields import assign, extend, present

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

ROLES = {
    types_pb2.ROLE_SYSTEM: Role.SYSTEM,
    types_pb2.ROLE_USER: Role.USER,
    types_pb2.ROLE_ASSISTANT: Role.ASSISTANT,
}
ROLE_NUMBERS = {role: number for number, role in ROLES.items()}


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
    )


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
    return message


def messages_from_wire(messages: Iterable[types_pb2.Message]) -> tuple[Message, ...]:
    """Turns of a conversation; a role that does not exist is an InvalidRequestError."""
    return tuple(
        Message(role_from_wire(message.role, index), message.content)
        for index, message in enumerate(messages)
    )


def role_from_wire(number: types_pb2.Role, index: int) -> Role:
    """The role with this number."""
    role = ROLES.get(number)
    if role is None:
        allowed = "ROLE_SYSTEM (1), ROLE_USER (2) or ROLE_ASSISTANT (3)"
        raise InvalidRequestError(f"messages[{index}].role", int(number), allowed)
    return role


def messages_to_wire(messages: Sequence[Message]) -> list[types_pb2.Message]:
    """Turns of a conversation as messages."""
    return [message_to_wire(message, index) for index, message in enumerate(messages)]


def message_to_wire(message: Message, index: int) -> types_pb2.Message:
    """One turn of a conversation."""
    number = ROLE_NUMBERS.get(message.role)
    if number is None:
        allowed = ", ".join(Role)
        raise InvalidRequestError(f"messages[{index}].role", message.role, allowed)
    result = types_pb2.Message(role=number)
    assign(result, "content", message.content, path=f"messages[{index}].content")
    return result
