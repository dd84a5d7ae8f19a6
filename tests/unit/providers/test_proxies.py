from __future__ import annotations

import pytest

from llm_runner_router.errors import ProviderRejectedError
from llm_runner_router.providers.proxies import proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_any() -> None:
    assert proxy_for("https://api.acme.test/v1") is None


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("https_proxy", "https://api.acme.test/v1"),
        ("HTTP_PROXY", "http://api.acme.test:8000/v1"),
        ("all_proxy", "https://api.acme.test/v1"),
    ],
)
def test_each_variable(monkeypatch: pytest.MonkeyPatch, variable: str, url: str) -> None:
    monkeypatch.setenv(variable, "http://proxy.test:3128")
    assert proxy_for(url) == "http://proxy.test:3128"


def test_that_of_the_other_scheme_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    assert proxy_for("https://api.acme.test/v1") is None


def test_addresses_that_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "localhost,.acme.test")
    assert proxy_for("https://api.acme.test:8443/v1") is None
    assert proxy_for("https://api.other.test/v1") == "http://proxy.test:3128"


def test_an_address_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.test:3128")
    assert proxy_for("https://api.acme.test/v1") == "http://proxy.test:3128"


def test_one_that_is_not_for_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:secret@proxy.test:1080")
    with pytest.raises(ProviderRejectedError) as raised:
        proxy_for("https://api.acme.test/v1")
    assert "secret" not in raised.value.message
