"""Whether a tokenizer could be built, without building it; and that building agrees."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from llm_runner_router.tokenizer.support import tokenizer_faults
from unit.vocabularies import bpe, spm


def faults(metadata: dict[str, Any]) -> list[str]:
    lengths = {key: len(value) for key, value in metadata.items() if isinstance(value, list)}
    beginnings = {
        key: value[:2] if isinstance(value, list) else value for key, value in metadata.items()
    }
    return tokenizer_faults(beginnings, lengths)


@pytest.mark.parametrize("metadata", [bpe(), spm(), bpe(pre=None), bpe(token_type=None)])
def test_what_can_be_built_has_no_faults(metadata: dict[str, Any]) -> None:
    assert Tokenizer.from_metadata(metadata).vocab_size > 256
    assert faults(metadata) == []


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (bpe(model="bert"), "tokenizer.ggml.model: 'bert' is not allowed; allowed: gpt2, llama"),
        (bpe(model=None), "tokenizer.ggml.model: None"),
        (bpe(model=3), "tokenizer.ggml.model: 3"),
        (bpe(pre="tekken"), "tokenizer.ggml.pre: 'tekken'"),
        (bpe(pre=[1]), "tokenizer.ggml.pre: [1]"),
        (bpe(tokens=[], token_type=[]), "tokenizer.ggml.tokens: '0 entries'"),
        (bpe(tokens="abc", token_type=None), "tokenizer.ggml.tokens: None"),
        (bpe(merges=None) | {"tokenizer.ggml.merges": 7}, "tokenizer.ggml.merges: None"),
        (bpe(token_type=[1, 1]), "tokenizer.ggml.token_type: '2 entries'"),
        (spm(scores=None), "tokenizer.ggml.scores: None"),
        (spm(scores=[0.5]), "tokenizer.ggml.scores: '1 entries'"),
    ],
)
def test_what_cannot_be_built_has_one(metadata: dict[str, Any], message: str) -> None:
    with pytest.raises(TokenizerError):
        Tokenizer.from_metadata(metadata)
    (fault,) = faults(metadata)
    assert fault.startswith(message)


def test_all_faults_are_told_at_once() -> None:
    found = faults(bpe(pre="tekken", token_type=[1], merges=[]) | {"tokenizer.ggml.merges": "x"})
    assert [fault.partition(":")[0] for fault in found] == [
        "tokenizer.ggml.pre",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.merges",
    ]
