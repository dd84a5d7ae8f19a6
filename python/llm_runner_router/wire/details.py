"""What an error says beside its message, as text by name, and errors made from that again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
from llm_runner_router.wire.attempts import ATTEMPTS, attempts_from_text, attempts_to_text

DEFAULT_RETRY_SECONDS = 1.0
"""When to try again where the peer does not say."""

EXCLUDED = "excluded:"
"""Begins the names under which NoCandidateError tells why each model was excluded."""

MAX_EXCLUDED = 32

Details = Mapping[str, str]


class Shown(str):
    """A value as the peer shows it: its repr already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def details_of(error: RouterError) -> dict[str, str]:
    """The values that the message speaks of, and the attempts of the request."""
    tried = {ATTEMPTS: attempts_to_text(error.attempts)} if error.attempts else {}
    return tried | form_of(type(error)).tell(error)


def rebuild(kind: type[RouterError], message: str, reason: str, details: Details) -> RouterError:
    """An error of ``kind`` as the peer met it. Details may be missing or nonsense."""
    error: RouterError = form_of(kind).make(kind, message, details)
    error.args = (message,)
    error.message = message
    error.attempts = attempts_from_text(details.get(ATTEMPTS, ""))
    if reason:
        error.reason = reason
    return error


def plain_details(_error: RouterError) -> dict[str, str]:
    """Nothing beside the message."""
    return {}


def plain(kind: type[RouterError], message: str, _details: Details) -> RouterError:
    """An error that is nothing but its message."""
    return kind(message)


def field_details(error: FieldError) -> dict[str, str]:
    """Which field is wrong, and what it takes."""
    return {"field": error.field, "value": shorten(error.value), "allowed": error.allowed}


def field_error(kind: type[FieldError], _message: str, details: Details) -> FieldError:
    """An error of a field."""
    shown = Shown(details.get("value", "the value"))
    return kind(details.get("field", "request"), shown, details.get("allowed", ""))


def length_details(error: ContextLengthError) -> dict[str, str]:
    """Both lengths."""
    return {
        "prompt_tokens": str(error.prompt_tokens),
        "context_length": str(error.context_length),
    }


def length_error(
    kind: type[ContextLengthError], _message: str, details: Details
) -> ContextLengthError:
    """An error of a prompt's length."""
    return kind(number(details, "prompt_tokens"), number(details, "context_length"))


def model_details(error: ModelNotFoundError) -> dict[str, str]:
    """The model that is missing."""
    return {"model": shorten(error.model)}


def model_error(
    kind: type[ModelNotFoundError], _message: str, details: Details
) -> ModelNotFoundError:
    """An error of a model that is missing."""
    return kind(Shown(details.get("model", "")))


def request_details(error: RequestNotFoundError) -> dict[str, str]:
    """The request that is missing."""
    return {"request_id": shorten(error.request_id)}


def request_error(
    kind: type[RequestNotFoundError], _message: str, details: Details
) -> RequestNotFoundError:
    """An error of a request that is missing."""
    return kind(Shown(details.get("request_id", "")))


def resource_details(error: ResourceNotFoundError) -> dict[str, str]:
    """What is missing."""
    return {"kind": error.kind, "name": shorten(error.name)}


def resource_error(
    kind: type[ResourceNotFoundError], _message: str, details: Details
) -> ResourceNotFoundError:
    """An error of something that is missing."""
    return kind(details.get("kind", "resource"), Shown(details.get("name", "")))


def excluded_details(error: NoCandidateError) -> dict[str, str]:
    """Why each of the first models was excluded."""
    first = list(error.excluded.items())[:MAX_EXCLUDED]
    return {f"{EXCLUDED}{model}": why for model, why in first}


def excluded_error(
    kind: type[NoCandidateError], _message: str, details: Details
) -> NoCandidateError:
    """An error of requirements that no model meets."""
    return kind(
        {
            name.removeprefix(EXCLUDED): why
            for name, why in sorted(details.items())
            if name.startswith(EXCLUDED)
        }
    )


def overload_details(error: OverloadedError) -> dict[str, str]:
    """When to try again."""
    return {"retry_after_ms": str(round(error.retry_after * 1000))}


def overload_error(kind: type[OverloadedError], message: str, details: Details) -> OverloadedError:
    """An error of something that is full."""
    return kind(message, retry_after=retry_after(details))


def budget_details(error: BudgetError) -> dict[str, str]:
    """Whose budget is used up, and when the next begins."""
    return {
        "subject": error.subject,
        "limit_usd": f"{error.limit_usd:.12g}",
        "spent_usd": f"{error.spent_usd:.9f}",
        **overload_details(error),
    }


def budget_error(kind: type[BudgetError], _message: str, details: Details) -> BudgetError:
    """An error of a budget."""
    return kind(
        details.get("subject", ""),
        limit_usd=amount(details, "limit_usd"),
        spent_usd=amount(details, "spent_usd"),
        retry_after=retry_after(details),
    )


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of error, and those derived from it, are told and made again."""

    tell: Callable[[Any], dict[str, str]]
    make: Callable[[Any, str, Details], RouterError]


FORMS: Mapping[type[RouterError], Form] = {
    BudgetError: Form(budget_details, budget_error),
    ContextLengthError: Form(length_details, length_error),
    FieldError: Form(field_details, field_error),
    ModelNotFoundError: Form(model_details, model_error),
    NoCandidateError: Form(excluded_details, excluded_error),
    OverloadedError: Form(overload_details, overload_error),
    RequestNotFoundError: Form(request_details, request_error),
    ResourceNotFoundError: Form(resource_details, resource_error),
    RouterError: Form(plain_details, plain),
}


def form_of(kind: type[RouterError]) -> Form:
    """The form of the nearest class that has one."""
    return next(FORMS[base] for base in kind.__mro__ if base in FORMS)


def retry_after(details: Details) -> float:
    """Seconds after which to try again."""
    return number(details, "retry_after_ms") / 1000 or DEFAULT_RETRY_SECONDS


def number(details: Details, name: str) -> int:
    """A count that a peer sent as text; 0 where it is none."""
    text = details.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def amount(details: Details, name: str) -> float:
    """Dollars that a peer sent as text; 0 where they are none."""
    try:
        value = float(details.get(name, ""))
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
