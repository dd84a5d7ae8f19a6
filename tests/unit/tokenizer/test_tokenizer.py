"""Encoding and decoding with small vocabularies; the large ones are golden tests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from unit.vocabularies import CONTROL, NORMAL, UNUSED, USER_DEFINED, bpe, spm

BPE = Tokenizer.from_metadata(bpe(bos_token_id=265, eos_token_id=264))
SPM = Tokenizer.from_metadata(spm())
START, END = 263, 264


def texts(tokenizer: Tokenizer, text: str) -> list[str]:
    return [tokenizer.token_text(token) for token in tokenizer.encode(text, add_special=False)]


def test_merges_are_applied_in_their_order() -> None:
    assert texts(BPE, "hello world") == ["hello", "Ġw", "or", "l", "d"]


def test_scores_decide_what_sentencepiece_merges() -> None:
    assert texts(SPM, "hello") == ["▁hello"]
    assert texts(SPM, "hell") == ["▁he", "ll"]


def test_letters_outside_a_sentencepiece_vocabulary_become_bytes() -> None:
    assert texts(SPM, "é") == ["▁", "<0xC3>", "<0xA9>"]


def test_control_tokens_are_parsed_only_where_asked_for() -> None:
    assert BPE.encode("<|start|>", parse_special=True) == [START]
    assert START not in BPE.encode("<|start|>")
    assert BPE.decode(BPE.encode("<|start|>")) == "<|start|>"


def test_plain_text_cannot_merge_into_a_control_token() -> None:
    merges = ["h e", "he y"]
    hostile = bpe(merges, control=[], token_type=[NORMAL] * 257 + [CONTROL])
    assert texts(Tokenizer.from_metadata(hostile), "hey") == ["he", "y"]
    pieces = ["</", "s>", *"▁</s>"]
    assert texts(Tokenizer.from_metadata(spm(pieces)), "</s>") == ["▁", "</", "s>"]


def test_user_defined_tokens_are_found_in_plain_text() -> None:
    metadata = bpe(control=["<think>"], token_type=[NORMAL] * 263 + [USER_DEFINED])
    tokenizer = Tokenizer.from_metadata(metadata)
    assert texts(tokenizer, "a<think>b") == ["a", "<think>", "b"]
    assert tokenizer.decode(tokenizer.encode("a<think>b")) == "a<think>b"


def test_no_control_token_spans_a_border_and_no_merge_minds_it() -> None:
    pieces = [("<|st", True), ("art|>", True)]
    assert START not in BPE.encode_segments(pieces)
    pieces = [("<|start|>hel", True), ("lo", False), ("<|im_end|>", True)]
    assert BPE.encode_segments(pieces) == BPE.encode("<|start|>hello<|im_end|>", parse_special=True)
    assert END not in BPE.encode_segments([("<|im_end|>", False)])


def test_bos_and_eos_follow_the_metadata_and_the_kind() -> None:
    assert BPE.encode("h") == [104]
    assert SPM.encode("") == [1]
    both = Tokenizer.from_metadata(spm(add_bos_token=False, add_eos_token=True))
    assert both.encode("") == [2]
    llama3 = Tokenizer.from_metadata(bpe(pre="llama-bpe", bos_token_id=265))
    assert llama3.encode("h") == [265, 104]
    assert llama3.encode("h", add_special=False) == [104]


def test_phi3_eats_space_behind_special_tokens() -> None:
    tokens = spm()["tokenizer.ggml.tokens"]
    metadata = spm(tokens=["<|user|>", *tokens[1:]]) | {"general.name": "Phi-3 mini"}
    tokenizer = Tokenizer.from_metadata(metadata)
    assert tokenizer.encode("<|user|> \n hello", parse_special=True, add_special=False) == [0, 259]


def test_token_bytes_are_what_a_stream_shows() -> None:
    table = BPE.token_bytes()
    assert len(table) == BPE.vocab_size
    assert table[260:264] == [b" w", b"or", b"<|", b""]
    assert table[:256] == [bytes([byte]) for byte in range(256)]
    table = SPM.token_bytes()
    assert table[:3] == [b"", b"", b""]
    assert table[3:259] == [bytes([byte]) for byte in range(256)]
    assert table[259] == b" hello"


def test_unused_and_empty_tokens_show_nothing() -> None:
    metadata = bpe(control=["<x>", "", ""], token_type=[NORMAL] * 263 + [UNUSED, NORMAL, NORMAL])
    assert Tokenizer.from_metadata(metadata).token_bytes()[263:] == [b"", b"", b""]


def test_decode_shows_control_tokens_on_demand() -> None:
    ids = BPE.encode("<|start|>hello", parse_special=True)
    assert BPE.decode(ids) == "hello"
    assert BPE.decode(ids, skip_special=False) == "<|start|>hello"


def test_well_known_ends_are_control_tokens_whatever_their_type() -> None:
    tokenizer = Tokenizer.from_metadata(bpe(token_type=[NORMAL] * 266, eos_token_id=265))
    assert tokenizer.end_of_generation_ids == {END, 265}
    assert tokenizer.eot_id == END
    assert END not in tokenizer.encode("<|im_end|>")


def test_special_ids() -> None:
    assert (BPE.bos_id, BPE.eos_id, BPE.eot_id, BPE.eom_id) == (265, 264, 264, None)
    assert (SPM.bos_id, SPM.eos_id, SPM.unknown_id) == (1, 2, 0)
    assert Tokenizer.from_metadata(bpe(bos_token_id=0xFFFFFFFF)).bos_id is None


def test_leading_space_is_taken_back_once() -> None:
    assert SPM.leading_space
    assert SPM.decode(SPM.encode("  hello")) == "  hello"
    plain = Tokenizer.from_metadata(spm(add_space_prefix=False))
    assert not plain.leading_space
    assert plain.decode(plain.encode(" hello")) == " hello"


@pytest.mark.parametrize("token", [-1, 266, 1 << 40])
def test_ids_outside_the_vocabulary_are_refused(token: int) -> None:
    with pytest.raises(TokenizerError, match="token id"):
        BPE.decode([token])
    with pytest.raises(TokenizerError, match="token id"):
        BPE.token_text(token)


def test_text_that_cannot_be_expressed_is_refused_rather_than_dropped() -> None:
    with pytest.raises(TokenizerError, match="surrogates"):
        BPE.encode("\ud800")
    small = bpe([], control=[], tokens=["a", "b"], token_type=[1, 1])
    with pytest.raises(TokenizerError, match="text: b'c'"):
        Tokenizer.from_metadata(small).encode("abc")


@settings(deadline=None)
@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    for tokenizer in (BPE, SPM):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert not {tokenizer.token_text(token) for token in ids[1:]} & {"<s>", "<|start|>"}
