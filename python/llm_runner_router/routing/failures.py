"""What the failure of an attempt allows: another model, the same one again, or neither."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.errors import (
    BudgetError,
    EngineError,
    InvalidRequestError,
    ModelFileError,
    OverloadedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)

PASSING = (UnavailableError, EngineError, OverloadedError)
"""Failures that may be over a little later."""

FAULTS = (UnavailableError, EngineError, TimeLimitError, ProviderRejectedError, ModelFileError)
"""Failures that the model is to blame for, as long as nobody has cut its time short."""


def may_be_repeated(error: RouterError) -> bool:
    """Whether the same model may do better a little later.

    One that was too slow is not asked again: its prompt would only be computed once more. Nor is
    one that refuses the request; another one may take it.
    """
    return isinstance(error, PASSING) and not isinstance(error, BudgetError)


def is_free(error: RouterError, *, asked: bool) -> bool:
    """Whether it leaves the attempts of a request as they were: nobody was asked for anything.

    What may be repeated is counted in any case, so that there is an end.
    """
    return isinstance(error, UnsupportedError) or not (asked or may_be_repeated(error))


def is_fault(error: BaseException | None) -> bool:
    """Whether the circuit breaker and the error rate count it."""
    return isinstance(error, FAULTS)


def retry_after(error: RouterError) -> float:
    """Seconds that the model asks to be left alone."""
    return error.retry_after if isinstance(error, OverloadedError) else 0.0


def outcome_of_all(errors: Sequence[RouterError]) -> RouterError:
    """What the caller is told: the last error, unless all models say the same.

    Of nothing but rate limits it is the one that ends first; of nothing but refusals of the request
    the first, for the first model is the one that was meant. Without any error no attempt was made,
    because every circuit is open.
    """
    if not errors:
        message = "every model that could answer has failed too often and is left alone for a while"
        return UnavailableError(message, reason="CIRCUIT_OPEN")
    limits = [error for error in errors if isinstance(error, RateLimitError)]
    if len(limits) == len(errors):
        return min(limits, key=lambda limit: limit.retry_after)
    refused = all(isinstance(error, InvalidRequestError) for error in errors)
    return errors[0] if refused else errors[-1]
