"""How the echo provider answers, set in code or by the options of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    OverloadedError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.validation.values import check_count, check_number

MAX_SECONDS = 3600.0
MAX_CHUNKS = 1_000_000
WISHED = "the echo provider fails as its options say"

FAILURES: Mapping[str, Callable[[], RouterError]] = {
    "PROVIDER_FAILED": lambda: ProviderFailedError(WISHED),
    "PROVIDER_REJECTED": lambda: ProviderRejectedError(WISHED),
    "UNAVAILABLE": lambda: UnavailableError(WISHED),
    "RATE_LIMITED": lambda: RateLimitError(WISHED, retry_after=1.0),
    "OVERLOADED": lambda: OverloadedError(WISHED, retry_after=1.0),
    "TIME_LIMIT": lambda: TimeLimitError(WISHED),
    "INVALID_REQUEST": lambda: InvalidRequestError("request", "this one", "none at all"),
    "UNSUPPORTED": lambda: UnsupportedError(WISHED),
    "ENGINE_FAILED": lambda: EngineError(WISHED),
}
"""The errors that options may wish for, by their reasons."""


@dataclass(frozen=True, slots=True)
class EchoBehaviour:
    """Seconds before the answer and before each delta, the count of deltas, and a failure.

    ``chunks`` ``None``: a delta for each word of the prompt. The failure (an error, or the reason
    of one that is made anew each time) comes after ``fail_after`` deltas; 0: before the answer
    begins.
    """

    first_latency: float = 0.0
    chunk_latency: float = 0.0
    chunks: int | None = None
    failure: RouterError | str | None = None
    fail_after: int = 0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """As the options of an endpoint say; InvalidRequestError names one that is wrong."""
        for name in options:
            if name not in cls.__slots__:
                raise InvalidRequestError(
                    "endpoint.options", name, f"some of {', '.join(cls.__slots__)}"
                )
        failure = options.get("failure")
        if failure is not None and failure not in FAILURES:
            raise InvalidRequestError(
                "endpoint.options.failure", failure, f"one of {', '.join(FAILURES)}"
            )
        for name, most in (("first_latency", MAX_SECONDS), ("chunk_latency", MAX_SECONDS)):
            check_number(f"endpoint.options.{name}", options.get(name), 0, most)
        for name in ("chunks", "fail_after"):
            check_count(f"endpoint.options.{name}", options.get(name), 0, MAX_CHUNKS)
        return cls(**{name: value for name, value in options.items() if value is not None})

    def error(self) -> RouterError | None:
        """The failure, where there is one."""
        return FAILURES[self.failure]() if isinstance(self.failure, str) else self.failure
