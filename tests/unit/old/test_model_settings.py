from __future__ import annotations

import pytest

from llm_runner_router.old.model_settings import NUMBERS, meant


@pytest.mark.parametrize(
    ("name", "said", "is_meant"),
    [
        ("context_length", "2048", 2048),
        ("context_length", "7B", "7B"),
        ("temperature", "0", 0),
        ("temperature", " 0.7 ", 0.7),
        ("temperature", True, True),
        ("system", "7", "7"),
        ("mystery", "7", "7"),
    ],
)
def test_numbers_in_quotes(name: str, said: object, is_meant: object) -> None:
    assert meant(name, said) == is_meant


def test_all_settings_that_are_numbers() -> None:
    assert NUMBERS["idle_timeout"] is float
    assert NUMBERS["max_tokens"] is int
    assert not {"system", "stop", "pinned", "quantization"} & NUMBERS.keys()
