"""LangChain's messages as ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from llm_runner_router.compat.langchain.content import NOT_SAID, text_of
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.tools import ToolCall
from llm_runner_router.types import Message, Role

ROLES = {"human": Role.USER, "ai": Role.ASSISTANT, "developer": Role.SYSTEM}
"""Words for roles that ChatMessage may have beside ours."""


def messages_of(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """A conversation. A message's ``name`` and the status of a tool's result are not sent."""
    return tuple(
        message_of(message, f"messages[{index}]") for index, message in enumerate(messages)
    )


def message_of(message: BaseMessage, path: str) -> Message:
    """One message; UnsupportedError where it holds more than text."""
    where = f"{path}.content"
    match message:
        case AIMessage():
            text = text_of(message.content, where, but=NOT_SAID)
            return Message(Role.ASSISTANT, text, tuple(calls_of(message)))
        case ToolMessage():
            text = text_of(message.content, where)
            return Message(Role.TOOL, text, tool_call_id=message.tool_call_id)
        case HumanMessage():
            return Message(Role.USER, text_of(message.content, where))
        case SystemMessage():
            return Message(Role.SYSTEM, text_of(message.content, where))
        case ChatMessage():
            return Message(role_of(message.role, path), text_of(message.content, where))
    allowed = "system, human, ai, tool or chat messages"
    raise InvalidRequestError(path, type(message).__name__, allowed)


def calls_of(message: AIMessage) -> Iterator[ToolCall]:
    """The calls that the model asked for, those that made no sense too."""
    for call in message.tool_calls:
        arguments = json.dumps(call["args"], ensure_ascii=False)
        yield ToolCall(call["id"] or "", call["name"], arguments)
    for invalid in message.invalid_tool_calls:
        yield ToolCall(invalid["id"] or "", invalid["name"] or "", invalid["args"] or "")


def role_of(word: str, path: str) -> Role:
    """The role that a word means."""
    role = ROLES.get(word, word)
    if role not in tuple(Role):
        allowed = f"one of {', '.join((*Role, *ROLES))}"
        raise InvalidRequestError(f"{path}.role", word, allowed)
    return Role(role)
