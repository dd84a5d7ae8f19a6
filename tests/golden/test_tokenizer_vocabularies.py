"""Our ids against llama.cpp's, on the vocabularies and cases that llama.cpp ships."""

from __future__ import annotations

import functools

import pytest

from golden import llama_vocabularies
from llm_runner_router.tokenizer import Tokenizer

VOCABULARIES = ("gpt-2", "llama-bpe", "llama-spm", "phi-3", "qwen2", "starcoder")
CASES = 47


@functools.cache
def load(name: str) -> Tokenizer:
    return Tokenizer.from_metadata(llama_vocabularies.metadata(name))


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_case_gets_the_ids_of_llama_cpp(name: str) -> None:
    tokenizer = load(name)
    cases = llama_vocabularies.cases(name)
    wrong = {
        case.text: (tokenizer.encode(case.text, add_special=False), case.ids)
        for case in cases
        if tokenizer.encode(case.text, add_special=False) != case.ids
    }
    assert not wrong
    assert len(cases) == CASES


@pytest.mark.parametrize("name", VOCABULARIES)
def test_decoding_gives_the_text_back(name: str) -> None:
    tokenizer = load(name)
    for case in llama_vocabularies.cases(name):
        assert tokenizer.decode(case.ids) == case.text


@pytest.mark.parametrize("name", VOCABULARIES)
def test_token_bytes_concatenate_to_the_text(name: str) -> None:
    tokenizer = load(name)
    table = tokenizer.token_bytes()
    for case in llama_vocabularies.cases(name):
        prefix = " " if tokenizer.leading_space and case.text else ""
        assert b"".join(table[token] for token in case.ids) == (prefix + case.text).encode()
