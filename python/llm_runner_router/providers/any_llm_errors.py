"""The errors of any-llm and of the clients below it, translated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from any_llm.exceptions import (
    AnyLLMError,
    MissingApiKeyError,
    RateLimitError,
    UnsupportedParameterError,
    UnsupportedProviderError,
)

from llm_runner_router.errors import (
    ProviderFailedError,
    ProviderRejectedError,
    RouterError,
    UnsupportedError,
)
from llm_runner_router.providers.rejection import Rejection
from llm_runner_router.providers.retry_after import retry_after
from llm_runner_router.providers.transport_errors import FAILURES, transport_error

MAX_CAUSES = 8


@contextmanager
def reading(provider: str, key: str | None) -> Iterator[None]:
    """RouterErrors instead of whatever any-llm raises; ``key`` is struck out."""
    try:
        yield
    except RouterError:
        raise
    except AnyLLMError as error:
        raise told_error(provider, key, error) from None
    except NotImplementedError:
        raise UnsupportedError(f"{provider} does not offer what the request asks for") from None
    except Exception as error:  # noqa: BLE001 - any client of any provider may be below it
        raise other_error(provider, error) from None


def told_error(provider: str, key: str | None, error: AnyLLMError) -> RouterError:
    """The meaning of an error that any-llm has read already."""
    said = Rejection.told(error.status_code or 500, error.message, key, wait=wait_of(error))
    if isinstance(error, UnsupportedParameterError):
        return UnsupportedError(said.message)
    if isinstance(error, MissingApiKeyError | UnsupportedProviderError):
        return ProviderRejectedError(said.message)
    if error.status_code is None or error.status_code < 300:
        return cause_of(provider, error.original_exception) or said.error(provider)
    return said.error(provider)


def wait_of(error: AnyLLMError) -> float | None:
    """Seconds until a rate limit ends, where the provider says so."""
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        return retry_after({"retry-after": error.retry_after}, time.time())
    return None


def other_error(provider: str, error: Exception) -> RouterError:
    """The meaning of an error that came through any-llm as it was."""
    kind = type(error).__name__
    failed = ProviderFailedError(f"{provider} answered nonsense, or its client failed ({kind})")
    return cause_of(provider, error) or failed


def cause_of(provider: str, error: BaseException | None) -> RouterError | None:
    """The failure of a connection behind ``error``, where there is one."""
    for _ in range(MAX_CAUSES):
        if isinstance(error, FAILURES):
            return transport_error(provider, error)
        if error is None:
            return None
        error = error.__cause__
    return None
