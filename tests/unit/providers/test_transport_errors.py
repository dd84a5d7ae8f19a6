from __future__ import annotations

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


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("acme"):
        raise KeyError
