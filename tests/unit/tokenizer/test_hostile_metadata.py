"""Whatever the metadata says, the answer is a tokenizer or a TokenizerError."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from unit.vocabularies import bpe, spm

TOKENS = bpe()["tokenizer.ggml.tokens"]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "tokenizer.ggml.model: None"),
        (bpe(model="bert"), "tokenizer.ggml.model: 'bert'.*gpt2, llama"),
        (bpe(model=7), "tokenizer.ggml.model: 7"),
        (bpe(pre="martian"), "tokenizer.ggml.pre: 'martian'.*qwen2"),
        (bpe(tokens=None), "tokenizer.ggml.tokens: None"),
        (bpe(tokens=[]), "at least one token"),
        (bpe(tokens="abc"), "an array"),
        (bpe(tokens=[*TOKENS[1:], 5]), "an array of strings"),
        (bpe(tokens=[*TOKENS[1:], "\ud800"]), "valid Unicode"),
        (bpe(tokens=[*TOKENS[1:], "x"]), "each token once"),
        (bpe(tokens=["a" * 3000, *TOKENS[1:]]), "at most 2048 letters"),
        (bpe(tokens=["a"] * (1 << 20 | 1)), "at most 1048576 entries"),
        (bpe(token_type=[1]), "one entry per token: 266"),
        (bpe(token_type=[1.5] * 266), "an array of 266 integers"),
        (bpe(token_type=[True] * 266), "an array of 266 integers"),
        (bpe(token_type=[9] * 266), "token_type: 9.*1 to 6"),
        (bpe() | {"tokenizer.ggml.merges": None}, "tokenizer.ggml.merges: None"),
        (bpe() | {"tokenizer.ggml.merges": ["h 中"]}, "merges: 'h 中'"),
        (bpe() | {"tokenizer.ggml.merges": ["he"]}, "merges: 'he'"),
        (bpe() | {"tokenizer.ggml.merges": [3]}, "merges"),
        (bpe() | {"tokenizer.ggml.merges": ["h x"]}, "two tokens of the vocabulary"),
        (bpe(eos_token_id=266), "eos_token_id: 266.*0 to 265"),
        (bpe(eos_token_id="x"), "eos_token_id: 'x'"),
        (bpe(eos_token_id=True), "eos_token_id: True"),
        (bpe(eos_token_id=1 << 70), "eos_token_id"),
        (bpe(add_bos_token=1), "add_bos_token: 1.*true or false"),
        (bpe(add_bos_token=True), "add_bos_token: True.*no such token"),
        (spm(scores=None), "tokenizer.ggml.scores: None"),
        (spm(scores=[0.0]), "one entry per token"),
        (spm(scores=[float("nan")] * 273), "finite numbers"),
        (spm(scores=[10**400] * 273), "finite numbers"),
        (spm(add_space_prefix="no"), "add_space_prefix: 'no'"),
        (spm() | {"general.name": 3}, "general.name: 3"),
    ],
)
def test_bad_metadata_names_key_value_and_what_is_allowed(
    metadata: dict[str, Any], message: str
) -> None:
    with pytest.raises(TokenizerError, match=message):
        Tokenizer.from_metadata(metadata)


def test_tokens_too_long_altogether_are_refused_before_they_are_cut() -> None:
    pieces = [f"{number:04}" + "x" * 2000 for number in range(200)]
    with pytest.raises(TokenizerError, match="too long altogether"):
        Tokenizer.from_metadata(spm(pieces))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4),
)


@settings(deadline=None)
@given(st.data())
def test_any_value_in_any_key_gives_a_tokenizer_or_a_tokenizer_error(data: st.DataObject) -> None:
    metadata = data.draw(st.sampled_from([bpe(), spm()]))
    key = data.draw(st.sampled_from(sorted(metadata)))
    if isinstance(metadata[key], list) and data.draw(st.booleans()):
        values = list(metadata[key])
        values[data.draw(st.integers(0, len(values) - 1))] = data.draw(VALUES)
        metadata[key] = values
    else:
        metadata[key] = data.draw(VALUES)
    with contextlib.suppress(TokenizerError):
        tokenizer = Tokenizer.from_metadata(metadata)
        tokenizer.decode(tokenizer.encode("hello <s> é"))
