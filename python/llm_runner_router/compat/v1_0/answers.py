"""Answers in the shape of v1.0, as the guide's table "Response Format Changes" has them."""

from __future__ import annotations

from typing import Literal, TypedDict

from llm_runner_router.types import Metrics, Response


class OldUsage(TypedDict):
    """What an answer took, in tokens; ``metrics`` today."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class OldResponse(TypedDict):
    """A whole answer."""

    text: str
    model: str
    usage: OldUsage


class OldToken(TypedDict):
    """A piece of an answer; ``Chunk`` today."""

    event: Literal["token"]
    token: str


class OldEnd(TypedDict):
    """The last event of an answer, with the whole of it; ``Complete`` today."""

    event: Literal["end"]
    text: str
    model: str
    usage: OldUsage


OldEvent = OldToken | OldEnd


def old_response(response: Response) -> OldResponse:
    """An answer as v1.0 gave it. What v1.0 did not have is left out."""
    return {
        "text": response.response,
        "model": response.model_used,
        "usage": old_usage(response.metrics),
    }


def old_usage(metrics: Metrics) -> OldUsage:
    """The tokens alone."""
    return {
        "prompt_tokens": metrics.prompt_tokens,
        "completion_tokens": metrics.completion_tokens,
        "total_tokens": metrics.total_tokens,
    }
