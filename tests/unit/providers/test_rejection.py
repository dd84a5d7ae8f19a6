from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import (
    ContextLengthError,
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
)
from llm_runner_router.providers.rejection import MAX_MESSAGE, Rejection

LIMIT = "This model's maximum context length is 10 tokens. However,"


def error(status: int, content: Any = "", **headers: str) -> RouterError:
    body = content if isinstance(content, str) else json.dumps(content)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Rejection.read(status, named, body, "sk-key").error("acme")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, InvalidRequestError) for status in (400, 413, 422)),
        *((status, ProviderRejectedError) for status in (401, 402, 403, 404, 405, 451)),
        *((status, ProviderFailedError) for status in (300, 302, 408, 409, 425, 500, 503, 529)),
        (429, RateLimitError),
    ],
)
def test_what_each_status_means(status: int, kind: type[RouterError]) -> None:
    assert type(error(status)) is kind


def test_a_rate_limit_waits_as_it_is_told_or_a_second() -> None:
    for found, seconds in ((error(429, retry_after="7"), 7.0), (error(429), 1.0)):
        assert isinstance(found, RateLimitError)
        assert found.retry_after == seconds


def test_an_account_without_money_is_no_rate_limit() -> None:
    found = error(429, {"error": {"message": "pay", "code": "insufficient_quota"}})
    assert type(found) is ProviderRejectedError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"type": "error", "error": {"type": "x", "message": "no"}}, "no"),
        ({"error": "no", "error_type": "validation"}, "no"),
        ({"message": "no"}, "no"),
        ({"detail": [{"loc": 1}]}, '[{"loc": 1}]'),
        ("<html>\n no</html>", "<html> no</html>"),
        ([1], "nothing"),
        ({"error": None}, "nothing"),
        ("", "nothing"),
        ({"error": {"message": "bad sk-key"}}, "bad …"),
        ({"message": "a\x1b[31m"}, "a?[31m"),
    ],
)
def test_messages_in_all_shapes(content: Any, message: str) -> None:
    assert error(500, content).message == f"acme answered 500: {message}"


def test_long_messages_are_shortened() -> None:
    assert len(error(500, "x" * 10_000).message) < MAX_MESSAGE + 50


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (f"{LIMIT} your messages resulted in 20 tokens", ""),
        (f"{LIMIT} you requested 25 tokens (20 in the messages, 5 in the completion)", None),
        ("prompt is too long: 20 tokens > 10 maximum", "invalid_request_error"),
        ("request (20 tokens) exceeds the available context size (10 tokens)", "any"),
    ],
)
def test_a_context_exceeded_in_the_words_of_many(message: str, code: str | None) -> None:
    found = error(400, {"error": {"message": message, "code": code}})
    assert isinstance(found, ContextLengthError)
    assert (found.prompt_tokens, found.context_length) == (20, 10)


def test_a_context_exceeded_without_numbers() -> None:
    found = error(400, {"error": {"message": "no", "code": "context_length_exceeded"}})
    assert isinstance(found, InvalidRequestError)
    assert found.field == "prompt"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(("error", "message", "code", "type", "detail", "error_type")), inner
    ),
)  # fmt: skip


@given(st.integers(300, 599), JSON | st.text())
def test_whatever_it_says_it_is_an_error(status: int, content: Any) -> None:
    found = error(status, content)
    assert isinstance(found, RouterError)
    assert "\n" not in found.message
