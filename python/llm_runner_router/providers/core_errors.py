"""The core's errors as ours, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    ModelFileError,
    OverloadedError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)

MEMORY_RETRY_SECONDS = 5.0


def load_error(code: str, reason: str, message: str) -> RouterError:
    """Why a model could not be loaded."""
    match code:
        case "RESOURCE_EXHAUSTED":
            return OverloadedError(message, retry_after=MEMORY_RETRY_SECONDS)
        case "INTERNAL":
            return EngineError(message)
        case _ if reason == "CANCELLED":
            return UnavailableError(message)
        case _:
            return ModelFileError(message)


def request_error(code: str, reason: str, message: str) -> RouterError:
    """Why a request failed."""
    # A prompt that the KV cache can never hold is the request's fault: waiting would not help.
    if code == "INVALID_ARGUMENT" or reason == "KV_TOO_SMALL":
        return InvalidRequestError("request", reason, message)
    if code == "RESOURCE_EXHAUSTED":
        return OverloadedError(message, retry_after=MEMORY_RETRY_SECONDS)
    return REQUEST_ERRORS.get(code, EngineError)(message)


REQUEST_ERRORS: Mapping[str, type[TimeLimitError | UnavailableError | ModelFileError]] = {
    "DEADLINE_EXCEEDED": TimeLimitError,
    "FAILED_PRECONDITION": UnavailableError,
    "DATA_LOSS": ModelFileError,
}
