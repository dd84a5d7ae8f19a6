from __future__ import annotations

from socket import socket

import aiohttp
import httpx
import httpx2
import pytest

from llm_runner_router.errors import (
    ProviderFailedError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.providers.transport_errors import translated


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ConnectTimeout", TimeLimitError),
        ("ReadTimeout", TimeLimitError),
        ("ConnectError", UnavailableError),
        ("ReadError", ProviderFailedError),
        ("RemoteProtocolError", ProviderFailedError),
        ("DecodingError", ProviderFailedError),
        ("InvalidURL", ProviderFailedError),
    ],
)
def test_each_failure_has_its_error(library: object, name: str, kind: type[RouterError]) -> None:
    with pytest.raises(kind, match=f"acme .*{name}") as raised, translated("acme"):
        raise getattr(library, name)("what it says may be a secret")
    assert type(raised.value) is kind
    assert raised.value.__cause__ is None
    assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiohttp.ConnectionTimeoutError("secret"), TimeLimitError),
        (aiohttp.ServerDisconnectedError("secret"), ProviderFailedError),
        (aiohttp.ClientPayloadError("secret"), ProviderFailedError),
        (aiohttp.InvalidURL("secret"), ProviderFailedError),
    ],
)
def test_those_of_aiohttp(error: Exception, kind: type[RouterError]) -> None:
    with pytest.raises(kind, match=f"acme .*{type(error).__name__}") as raised, translated("acme"):
        raise error
    assert type(raised.value) is kind
    assert "secret" not in raised.value.message


async def test_a_server_that_is_not_there() -> None:
    with socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with aiohttp.ClientSession() as session:
            with (
                pytest.raises(UnavailableError, match="acme cannot be reached"),
                translated("acme"),
            ):
                await session.get(url)


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("acme"):
        raise KeyError
