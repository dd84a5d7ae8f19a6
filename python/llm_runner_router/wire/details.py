"""What an error says beside its message, as text by name, and errors made from that again."""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.errors import (
    ContextLengthError,
    FieldError,
    ModelNotFoundError,
    OverloadedError,
    RequestNotFoundError,
    RouterError,
    shorten,
)

DEFAULT_RETRY_SECONDS = 1.0
"""When to try again where the peer does not say."""


class Shown(str):
    """A value as the peer shows it: its repr already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def details_of(error: RouterError) -> dict[str, str]:
    """The values that the message speaks of."""
    match error:
        case FieldError():
            return {"field": error.field, "value": shorten(error.value), "allowed": error.allowed}
        case ContextLengthError():
            return {
                "prompt_tokens": str(error.prompt_tokens),
                "context_length": str(error.context_length),
            }
        case ModelNotFoundError():
            return {"model": shorten(error.model)}
        case RequestNotFoundError():
            return {"request_id": shorten(error.request_id)}
        case OverloadedError():
            return {"retry_after_ms": str(round(error.retry_after * 1000))}
    return {}


def rebuild(
    kind: type[RouterError], message: str, reason: str, details: Mapping[str, str]
) -> RouterError:
    """An error of ``kind`` as the peer met it. Details may be missing or nonsense."""
    error = construct(kind, message, details)
    error.args = (message,)
    error.message = message
    if reason:
        error.reason = reason
    return error


def construct(kind: type[RouterError], message: str, details: Mapping[str, str]) -> RouterError:
    """The error with the attributes of its kind."""
    if issubclass(kind, FieldError):
        shown = Shown(details.get("value", "the value"))
        return kind(details.get("field", "request"), shown, details.get("allowed", ""))
    if issubclass(kind, ContextLengthError):
        return kind(number(details, "prompt_tokens"), number(details, "context_length"))
    if issubclass(kind, ModelNotFoundError):
        return kind(Shown(details.get("model", "")))
    if issubclass(kind, RequestNotFoundError):
        return kind(Shown(details.get("request_id", "")))
    if issubclass(kind, OverloadedError):
        retry_after = number(details, "retry_after_ms") / 1000
        return kind(message, retry_after=retry_after or DEFAULT_RETRY_SECONDS)
    return kind(message)


def number(details: Mapping[str, str], name: str) -> int:
    """A count that a peer sent as text; 0 where it is none."""
    text = details.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
