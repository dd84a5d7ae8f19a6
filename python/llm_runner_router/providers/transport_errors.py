"""The errors of HTTP clients, translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import httpx
import httpx2

from llm_runner_router.errors import (
    ProviderFailedError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)

TIMEOUTS = (httpx.TimeoutException, httpx2.TimeoutException, aiohttp.ServerTimeoutError)
NO_CONNECTION = (httpx.ConnectError, httpx2.ConnectError, aiohttp.ClientConnectorError)
BROKEN = (
    httpx.HTTPError,
    httpx2.HTTPError,
    httpx.StreamError,
    httpx2.StreamError,
    httpx.InvalidURL,
    httpx2.InvalidURL,
    aiohttp.ClientError,
)
FAILURES = (*TIMEOUTS, *NO_CONNECTION, *BROKEN)


@contextmanager
def translated(provider: str) -> Iterator[None]:
    """RouterErrors instead of the errors of HTTP clients, which may hold headers."""
    try:
        yield
    except FAILURES as error:
        raise transport_error(provider, error) from None


def transport_error(provider: str, error: Exception) -> RouterError:
    """What a failure on the way to or from ``provider`` means."""
    kind = type(error).__name__
    if isinstance(error, TIMEOUTS):
        return TimeLimitError(f"{provider} did not respond in time ({kind})")
    if isinstance(error, NO_CONNECTION):
        return UnavailableError(f"{provider} cannot be reached ({kind})")
    return ProviderFailedError(f"{provider} broke off ({kind})")
