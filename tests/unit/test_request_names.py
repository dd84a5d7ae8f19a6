"""The guide's table "Parameter Changes", and names in both spellings."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.request_fields import asked_of, request_of, streamed_request_of
from llm_runner_router.request_names import present_names
from llm_runner_router.types import Request


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [("input", "prompt", "text"), ("model_id", "model", "gpt-3.5"), ("stream", "streaming", True)],
)
def test_old_names_are_told(old: str, new: str, value: Any) -> None:
    with pytest.warns(DeprecationWarning, match=f"^{old} is deprecated: use {new}$"):
        assert present_names({old: value}) == {new: value}
    assert present_names({new: value}) == {new: value}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"max_tokens": 100}, {"max_tokens": 100}),
        ({"maxTokens": 100}, {"max_tokens": 100}),
        ({"temperature": 0.7}, {"temperature": 0.7}),
        ({"top_p": 0.9}, {"top_p": 0.9}),
        ({"topP": 0.9}, {"top_p": 0.9}),
        ({"maxTokens": 0, "max_tokens": None}, {"max_tokens": 0}),
        ({"max_tokens": 5, "maxTokens": 5}, {"max_tokens": 5}),
    ],
)
def test_present_names_in_both_spellings(given: dict[str, Any], meant: dict[str, Any]) -> None:
    assert present_names(given) == meant


def test_the_old_request_of_the_guide() -> None:
    old = {"input": "text", "max_tokens": 100, "model_id": "gpt-3.5", "stream": True}
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        request, streaming = asked_of({**old, "temperature": 0.7, "top_p": 0.9}, {})
    meant = Request(prompt="text", max_tokens=100, model="gpt-3.5", temperature=0.7, top_p=0.9)
    assert (request, streaming) == (meant, True)
    assert len(caught) == 3


def test_two_names_that_say_different_things_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"maxTokens: 6 .* max_tokens"):
        present_names({"max_tokens": 5, "maxTokens": 6})
    with pytest.raises(InvalidRequestError, match="the name of a field"):
        present_names({5: 6})  # type: ignore[dict-item]


def test_keywords_go_on_top_in_whatever_spelling() -> None:
    assert request_of({"prompt": "x", "maxTokens": 5}, {"max_tokens": 6}).max_tokens == 6
    assert request_of({"prompt": "x", "max_tokens": 5}, {"maxTokens": 6}).max_tokens == 6


def test_whether_to_stream_must_fit_the_method() -> None:
    assert request_of("x", {"streaming": False}) == Request(prompt="x")
    assert streamed_request_of("x", {"streaming": True}) == Request(prompt="x")
    for read, value in ((request_of, True), (streamed_request_of, False), (asked_of, 1)):
        with pytest.raises(InvalidRequestError) as caught:
            read("x", {"streaming": value})
        assert caught.value.field == "streaming"
