"""The JSON that a request carries as text, read where a provider's API wants it as values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.tools import ToolCall
from llm_runner_router.types import Message


def json_object(field: str, text: str) -> dict[str, Any]:
    """The object in ``text``, empty where that is; InvalidRequestError names ``field``."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequestError(field, text, "a JSON object as text")
    return value


def call_arguments(message: Message, index: int) -> Iterator[tuple[ToolCall, dict[str, Any]]]:
    """The calls of the message at ``index`` of a conversation, each with its arguments."""
    for number, call in enumerate(message.tool_calls):
        field = f"messages[{index}].tool_calls[{number}].arguments"
        yield call, json_object(field, call.arguments)
