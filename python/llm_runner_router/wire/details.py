"""What an error says beside its message, as text by name, and errors made from that again."""

from __future__ import annotations

import math
from collections.abc import Mapping

from llm_runner_router.errors import (
    BudgetError,
    ContextLengthError,
    FieldError,
    ModelNotFoundError,
    NoCandidateError,
    OverloadedError,
    RequestNotFoundError,
    ResourceNotFoundError,
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
        case ResourceNotFoundError():
            return {"kind": error.kind, "name": shorten(error.name)}
        case NoCandidateError():
            return {shorten(model): why for model, why in list(error.excluded.items())[:32]}
        case BudgetError():
            return {
                "subject": error.subject,
                "limit_usd": f"{error.limit_usd:g}",
                "spent_usd": f"{error.spent_usd:.9f}",
                "retry_after_ms": str(round(error.retry_after * 1000)),
            }
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
    if issubclass(kind, ResourceNotFoundError):
        return kind(details.get("kind", "resource"), Shown(details.get("name", "")))
    if issubclass(kind, NoCandidateError):
        return kind(details)
    if issubclass(kind, BudgetError):
        return kind(
            details.get("subject", ""),
            limit_usd=amount(details, "limit_usd"),
            spent_usd=amount(details, "spent_usd"),
            retry_after=number(details, "retry_after_ms") / 1000 or DEFAULT_RETRY_SECONDS,
        )
    if issubclass(kind, OverloadedError):
        retry_after = number(details, "retry_after_ms") / 1000
        return kind(message, retry_after=retry_after or DEFAULT_RETRY_SECONDS)
    return kind(message)


def number(details: Mapping[str, str], name: str) -> int:
    """A count that a peer sent as text; 0 where it is none."""
    text = details.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def amount(details: Mapping[str, str], name: str) -> float:
    """Dollars that a peer sent as text; 0 where they are none."""
    try:
        value = float(details.get(name, ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
