from __future__ import annotations

import traceback
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.providers.known import known
from llm_runner_router.registry.checks.endpoint import MAX_OPTIONS, checked_endpoint
from llm_runner_router.registry.records import Endpoint

SECRET = "sk-very-secret"
FULL = Endpoint(
    "https://[::1]:8443/v1",
    "file:/run/secrets/a key",
    "org",
    "2024-10-21",
    {"X-Team": "a b"},
    {"n": 1, "list": [1, {"deep": None}]},
)


def refused(endpoint: Endpoint, provider: str = "openai") -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        checked_endpoint(endpoint, known(provider))
    return caught.value


def test_everything_that_is_allowed() -> None:
    assert checked_endpoint(FULL, known("openai")) == FULL
    assert checked_endpoint(Endpoint(), known("openai")) == Endpoint()
    assert checked_endpoint(Endpoint(options={"a": (1, 2)}), known("openai")).options == {
        "a": [1, 2]
    }


@pytest.mark.parametrize("url", ["http://x", "http://10.0.0.1:1/a/b", "https://ü.example"])
def test_urls(url: str) -> None:
    checked_endpoint(Endpoint(url), known("openai-compatible"))


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://x y"),
        *("http://x/\n", "http://x#y", "file:///x", "unix:/x", "x:1", "http://" + "x" * 2048, 7),
    ],
)
def test_other_urls_are_refused(url: Any) -> None:
    assert refused(Endpoint(url)).field == "endpoint.base_url"


@pytest.mark.parametrize("target", ["x:1", "[::1]:50051", "unix:/run/a.sock", "unix:a"])
def test_targets_of_other_routers(target: str) -> None:
    checked_endpoint(Endpoint(target), known("remote"))


@pytest.mark.parametrize("target", ["x", "x:0", "x:65536", ":1", "unix:", "http://x", "::1:5", 7])
def test_other_targets_are_refused(target: Any) -> None:
    assert refused(Endpoint(target), "remote").field == "endpoint.base_url"


@pytest.mark.parametrize("provider", ["remote", "openai-compatible", "azure-openai"])
def test_an_address_that_nobody_knows_must_be_given(provider: str) -> None:
    assert refused(Endpoint(), provider).field == "endpoint.base_url"


@pytest.mark.parametrize("provider", ["echo", "any-llm:x", "anthropic", "ollama"])
def test_other_providers_need_none(provider: str) -> None:
    checked_endpoint(Endpoint(), known(provider))


@pytest.mark.parametrize("reference", ["env:A_1", "file:/a", "file:a"])
def test_references_of_keys(reference: str) -> None:
    checked_endpoint(Endpoint(api_key=reference), known("openai"))


@pytest.mark.parametrize(
    ("field", "endpoint"),
    [
        ("endpoint.api_key", Endpoint(api_key=SECRET)),
        ("endpoint.api_key", Endpoint(api_key=f"env:{SECRET}")),
        ("endpoint.api_key", Endpoint(api_key=f"env:A\n{SECRET}")),
        ("endpoint.api_key", Endpoint(api_key=f"file:{SECRET}\n")),
        ("endpoint.api_key", Endpoint(api_key=f"key:{SECRET}")),
        ("endpoint.api_key", Endpoint(api_key=[SECRET])),  # type: ignore[arg-type]
        ("endpoint.base_url", Endpoint(f"https://user:{SECRET}@x/v1")),
        ("endpoint.base_url", Endpoint(f"https://x/v1?key={SECRET}")),
        ("endpoint.headers key", Endpoint(headers={"Authorization": f"Bearer {SECRET}"})),
        ("endpoint.headers key", Endpoint(headers={"X-API-Key": SECRET})),
        ("endpoint.headers key", Endpoint(headers={"api_key": SECRET})),
        ("endpoint.headers[x]", Endpoint(headers={"x": f"{SECRET}\n"})),
        ("endpoint.options key", Endpoint(options={"api_key": SECRET})),
        ("endpoint.headers key", Endpoint(headers={"X-Goog-Api-Key": SECRET})),
        ("endpoint.headers key", Endpoint(headers={"X-Vault-Token": SECRET})),
        ("endpoint.headers key", Endpoint(headers={"X-Auth": SECRET})),
        ("endpoint.headers key", Endpoint(headers={"Client_Secret": SECRET})),
        ("endpoint.options key", Endpoint(options={"extra_headers": {"x": SECRET}})),
        ("endpoint.options key", Endpoint(options={"extra_body": [{"access_token": SECRET}]})),
        ("endpoint.options key", Endpoint(options={"a": {"b": {"Client_Secret": SECRET}}})),
        ("endpoint.options", Endpoint(options=SECRET)),  # type: ignore[arg-type]
        ("endpoint.headers", Endpoint(headers=[SECRET])),  # type: ignore[arg-type]
    ],
)
def test_keys_in_clear_are_refused_and_not_repeated(field: str, endpoint: Endpoint) -> None:
    error = refused(endpoint)
    assert error.field == field
    told = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert SECRET not in told


@pytest.mark.parametrize("reference", ["", "env:", "file:", "env:1A", "file: a", "x" * 5000])
def test_other_references_are_refused(reference: str) -> None:
    assert refused(Endpoint(api_key=reference)).value == "a literal key"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("endpoint.organization", {"organization": ""}),
        ("endpoint.api_version", {"api_version": "a\n"}),
        ("endpoint.headers", {"headers": "x"}),
        ("endpoint.headers", {"headers": {f"h{number}": "" for number in range(33)}}),
        ("endpoint.headers key", {"headers": {"a b": "c"}}),
        ("endpoint.headers key", {"headers": {"": "c"}}),
        ("endpoint.headers key", {"headers": {5: "c"}}),
        ("endpoint.headers[a]", {"headers": {"a": "x" * 1025}}),
        ("endpoint.headers[a]", {"headers": {"a": "ü"}}),
        ("endpoint.headers[a]", {"headers": {"a": 1}}),
        ("endpoint.options", {"options": [1]}),
        ("endpoint.options", {"options": {"a": "x" * MAX_OPTIONS}}),
        ("endpoint.options.a", {"options": {"a": float("nan")}}),
        ("endpoint.options.a", {"options": {"a": object()}}),
        ("endpoint.options key", {"options": {1: "a"}}),
    ],
)
def test_wrong_fields_are_named(field: str, values: dict[str, Any]) -> None:
    assert refused(replace(Endpoint(), **values)).field == field


def test_names_that_look_like_keys_but_are_none() -> None:
    options = {"max_tokens": 5, "prompt_cache_key": "a", "extra_body": {"min_tokens": 1}}
    headers = {"anthropic-beta": "a", "HTTP-Referer": "b", "X-Title": "c"}
    given = Endpoint(headers=headers, options=options)
    assert checked_endpoint(given, known("openai")) == given


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("endpoint.options", {"fails": True}),
        ("endpoint.options.failure", {"failure": "NEVER"}),
        ("endpoint.options.chunks", {"chunks": -1}),
    ],
)
def test_options_of_the_echo_are_checked_at_once(field: str, options: dict[str, Any]) -> None:
    assert refused(Endpoint(options=options), "echo").field == field
    checked_endpoint(Endpoint(options=options), known("openai"))
