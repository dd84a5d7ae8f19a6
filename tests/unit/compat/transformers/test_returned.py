from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.compat.transformers.inputs import Chat
from llm_runner_router.compat.transformers.returned import (
    Answer,
    ReturnType,
    check_only,
    record,
    return_type,
)
from llm_runner_router.errors import InvalidRequestError

ANSWER = Answer((1, 2), (3,), " world")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ReturnType.FULL_TEXT),
        ({"return_full_text": True}, ReturnType.FULL_TEXT),
        ({"return_full_text": False}, ReturnType.NEW_TEXT),
        ({"return_tensors": True}, ReturnType.TENSORS),
        ({"return_tensors": False}, ReturnType.FULL_TEXT),
        ({"return_type": 0}, ReturnType.TENSORS),
        ({"return_type": ReturnType.NEW_TEXT, "return_full_text": True}, ReturnType.NEW_TEXT),
    ],
)
def test_what_is_wanted(values: dict[str, Any], expected: ReturnType) -> None:
    assert return_type(values) is expected


@pytest.mark.parametrize(
    "values",
    [
        {"return_full_text": True, "return_text": True},
        {"return_full_text": True, "return_tensors": True},
        {"return_tensors": True, "return_text": True},
        {"return_type": 7},
        {"return_type": "text"},
    ],
)
def test_contradictions(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="return_"):
        return_type(values)


def test_records() -> None:
    turn = {"role": "user", "content": "hello"}
    assert record("hello", ANSWER, ReturnType.FULL_TEXT) == {"generated_text": "hello world"}
    assert record("hello", ANSWER, ReturnType.NEW_TEXT) == {"generated_text": " world"}
    assert record("hello", ANSWER, ReturnType.TENSORS) == {"generated_token_ids": [1, 2, 3]}
    assert record(Chat([turn]), ANSWER, ReturnType.FULL_TEXT) == {
        "generated_text": [turn, {"role": "assistant", "content": " world"}]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("truncation", "only_first"),
        ("padding", "max_length"),
        ("handle_long_generation", "hole"),
        ("add_special_tokens", False),
        ("skip_special_tokens", False),
        ("clean_up_tokenization_spaces", True),
        ("continue_final_message", True),
        ("tools", [{}]),
    ],
)
def test_what_would_have_no_effect_is_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        check_only({name: value})
    check_only({name: None})


def test_what_changes_nothing_may_be_said() -> None:
    check_only({"truncation": True, "padding": True, "add_special_tokens": True})
