"""The errors of Anthropic's client, translated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import anthropic
from anthropic import APIConnectionError, APIStatusError

from llm_runner_router.errors import ProviderFailedError, RouterError, UnavailableError
from llm_runner_router.providers.rejection import Rejection
from llm_runner_router.providers.transport_errors import FAILURES, translated, transport_error

STATUSES: Mapping[str | None, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status of each kind of error, for those that come within a stream whose status is 200."""

NONSENSE = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What reading an event raises that is not what it should be: the client checks little."""


@contextmanager
def reading(provider: str, key: str | None) -> Iterator[None]:
    """RouterErrors instead of whatever a call or its stream raises; ``key`` is struck out."""
    with translated(provider):
        try:
            yield
        except APIStatusError as error:
            raise rejection_of(error, key).error(provider) from None
        except APIConnectionError as error:
            raise connection_error(provider, error) from None
        except (anthropic.AnthropicError, *NONSENSE) as error:
            kind = type(error).__name__
            raise ProviderFailedError(f"{provider} answered nonsense ({kind})") from None


def rejection_of(error: APIStatusError, key: str | None) -> Rejection:
    """What the provider says with a status, or in the middle of a stream."""
    if error.status_code < 300:
        return Rejection.told(STATUSES.get(error.type, 500), error.body, key)
    response = error.response
    return Rejection.read(error.status_code, response.headers, response.text, key)


def connection_error(provider: str, error: APIConnectionError) -> RouterError:
    """What kept the client from reaching the provider."""
    cause = error.__cause__
    if isinstance(cause, FAILURES):
        return transport_error(provider, cause)
    return UnavailableError(f"{provider} cannot be reached ({type(error).__name__})")
