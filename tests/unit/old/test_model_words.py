"""Words for formats and providers, in any letters."""

from __future__ import annotations

import pytest

from llm_runner_router.old.model_words import (
    OTHER_FORMATS,
    OTHER_PROVIDERS,
    format_word,
    provider_word,
)
from llm_runner_router.providers.known import known
from llm_runner_router.types import ModelFormat


@pytest.mark.parametrize(
    ("said", "meant"),
    [("GGUF", "gguf"), (" HuggingFace ", "hf"), ("onnx", "onnx"), (None, None), (5, 5)],
)
def test_formats(said: object, meant: object) -> None:
    assert format_word(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Azure", "azure-openai"), ("OpenAI", "openai"), ("Mine", "mine"), ([], []), (None, None)],
)
def test_providers(said: object, meant: object) -> None:
    assert provider_word(said) == meant


def test_all_of_them_are_words_of_today() -> None:
    assert set(OTHER_FORMATS.values()) <= set(ModelFormat)
    for name in OTHER_PROVIDERS.values():
        assert name.startswith("any-llm:") or known(name) is not None
