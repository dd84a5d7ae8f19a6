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
        return invalid_request(reason, message)
    if code == "RESOURCE_EXHAUSTED":
        return OverloadedError(message, retry_after=MEMORY_RETRY_SECONDS)
    if reason == "ENGINE_CLOSED":
        return UnavailableError(message)
    return REQUEST_ERRORS.get(code, EngineError)(message)


REQUEST_ERRORS: Mapping[str, type[TimeLimitError | ModelFileError]] = {
    "DEADLINE_EXCEEDED": TimeLimitError,
    "FAILED_PRECONDITION": ModelFileError,  # such as weights that are no numbers
    "DATA_LOSS": ModelFileError,
}

BREAKING = frozenset({"INTERNAL", "DATA_LOSS"})
"""Codes after which an engine may not be of use any more."""


def invalid_request(reason: str, message: str) -> InvalidRequestError:
    """The core's message says field, value and what is allowed by itself."""
    error = InvalidRequestError("request", reason, message)
    error.message = message
    error.args = (message,)
    return error
