"""Fields of a model or a call as a request has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llm_runner_router.compat.langchain.tools import (
    request_choice,
    request_format,
    request_tool,
)
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import Routing

RENAMED = {"answer_cache": "cache", "request_metadata": "metadata"}
"""Ours by other names: LangChain's own models have a ``cache`` and ``metadata`` already."""


def limited(routing: object, retries: object) -> object:
    """Wishes about routing with so many further attempts, unless they say themselves how many."""
    if retries is None:
        return routing
    if not isinstance(retries, int) or isinstance(retries, bool):
        raise InvalidRequestError("max_retries", retries, "a whole number of at least 0")
    most = retries + 1
    match routing:
        case Routing(max_attempts=None):
            return replace(routing, max_attempts=most)
        case Mapping():
            said = routing.keys() & {"max_attempts", "maxAttempts"}
            return routing if said else {**routing, "max_attempts": most}
        case None:
            return {"max_attempts": most}
    return routing


def renamed(fields: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    """Fields as a request has them."""
    for name, value in fields:
        match name:
            case "tools":
                given = isinstance(value, Sequence)
                yield name, [request_tool(tool) for tool in value] if given else value
            case "tool_choice":
                yield name, request_choice(value)
            case "response_format":
                yield name, request_format(value)
            case _:
                yield RENAMED.get(name, name), value
