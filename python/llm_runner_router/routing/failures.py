"""What the failure of an attempt allows: another model, the same one again, or neither."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.errors import (
    BudgetError,
    EngineError,
    InvalidRequestError,
    OverloadedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)

FAULTS = (UnavailableError, EngineError, TimeLimitError)
"""Failures that the model is to blame for, as long as the caller's deadline has not passed."""


def may_go_elsewhere(error: RouterError) -> bool:
    """Whether another model may do better. A wrong request is wrong everywhere."""
    return not isinstance(error, InvalidRequestError)


def may_be_repeated(error: RouterError) -> bool:
    """Whether the same model may do better a little later.

    One that was too slow is not asked again: its prompt would only be computed once more.
    """
    lasting = isinstance(error, BudgetError | TimeLimitError)
    return isinstance(error, (*FAULTS, OverloadedError)) and not lasting


def is_fault(error: BaseException | None) -> bool:
    """Whether the circuit breaker and the error rate count it."""
    return isinstance(error, FAULTS)


def retry_after(error: RouterError) -> float:
    """Seconds that the model asks to be left alone."""
    return error.retry_after if isinstance(error, OverloadedError) else 0.0


def outcome_of_all(errors: Sequence[RouterError]) -> RouterError:
    """What the caller is told: the last error; of nothing but rate limits the one that ends first.

    Without any error no attempt was made, because every circuit is open.
    """
    if not errors:
        message = "every model that could answer has failed too often and is left alone for a while"
        return UnavailableError(message, reason="CIRCUIT_OPEN")
    limits = [error for error in errors if isinstance(error, RateLimitError)]
    if len(limits) == len(errors):
        return min(limits, key=lambda limit: limit.retry_after)
    return errors[-1]
