"""The tokens of a written file are those of tokenizer.json, or the checkpoint is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as HfTokenizer

from llm_runner_router.checkpoints.tokenizer_metadata import (
    TokenizerMetadata,
    tokenizer_metadata,
)
from llm_runner_router.errors import ModelFileError, RouterError, UnsupportedError
from llm_runner_router.tokenizer import Tokenizer
from unit import tiny_checkpoint as tiny

TEXTS = ("the quick brown fox", " two  spaces", "", "été 日本 🙂", "a\n\nb", "the</s>the cat")


def written(folder: Path, tokenizer: str, size: int = 300, **settings: Any) -> dict[str, Any]:
    return dict(converted(folder, tokenizer, size, **settings).values)


def converted(folder: Path, tokenizer: str, size: int = 300, **settings: Any) -> TokenizerMetadata:
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(tokenizer)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer_metadata(folder, size, (2,) if "<s>" in tokenizer else (0,))


def same(tokenizer: str, metadata: dict[str, Any]) -> Tokenizer:
    theirs, ours = HfTokenizer.from_str(tokenizer), Tokenizer.from_metadata(metadata)
    for text in TEXTS:
        assert ours.encode(text, parse_special=True) == theirs.encode(text).ids, text
    return ours


def test_byte_level(tmp_path: Path) -> None:
    metadata = written(tmp_path, tiny.byte_level(), bos_token=tiny.END, eos_token=tiny.END)
    ours = same(tiny.byte_level(), metadata)
    assert metadata["tokenizer.ggml.pre"] == "gpt-2"
    assert (ours.bos_id, ours.eos_id, ours.add_bos) == (0, 0, False)
    assert ours.vocab_size == 300


@pytest.mark.parametrize("scheme", ["legacy", "first", "always"])
def test_sentence_pieces(tmp_path: Path, scheme: str) -> None:
    tokenizer = tiny.sentence_pieces(scheme)
    metadata = written(tmp_path, tokenizer, 400, bos_token="<s>", eos_token={"content": "</s>"})
    ours = same(tokenizer, metadata)
    assert (ours.bos_id, ours.eos_id, ours.add_bos) == (1, 2, True)
    assert ours.decode(ours.encode("the fox")) == "the fox"


def test_texts_are_whole_though_the_file_cuts_and_fills_them(tmp_path: Path) -> None:
    """As trainers leave it; Transformers does neither unless it is asked to."""
    content = json.loads(tiny.byte_level())
    content["truncation"] = {"direction": "Right", "max_length": 4, "stride": 0}
    content["truncation"]["strategy"] = "LongestFirst"
    content["padding"] = {
        "strategy": {"Fixed": 64},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": tiny.END,
    }
    settings = {"bos_token": tiny.END, "eos_token": tiny.END}
    metadata = written(tmp_path, json.dumps(content), **settings)
    assert metadata == written(tmp_path, tiny.byte_level(), **settings)


def test_a_library_that_gives_up_is_an_error_of_the_file(tmp_path: Path) -> None:
    """The library panics, which in Python is no Exception."""
    content = json.loads(tiny.byte_level())
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "pair": [],
        "special_tokens": {},
        "single": [{"SpecialToken": {"id": "<x>", "type_id": 0}}],
    }
    with pytest.raises(ModelFileError, match="its library refuses it: no entry"):
        written(tmp_path, json.dumps(content))


@pytest.mark.parametrize("flag", [True, False])
def test_what_tokenizer_json_does_counts_and_no_flag(tmp_path: Path, flag: bool) -> None:
    """As in Transformers, which does not look at the flag where there is a tokenizer.json."""
    settings: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": flag}
    found = converted(tmp_path, tiny.sentence_pieces(), 400, **settings)
    same(tiny.sentence_pieces(), dict(found.values))
    assert len(found.notes) == (0 if flag else 1)
    settings |= {"bos_token": tiny.END, "eos_token": tiny.END}
    found = converted(tmp_path, tiny.byte_level(), **settings)
    same(tiny.byte_level(), dict(found.values))
    assert len(found.notes) == (1 if flag else 0)


def test_a_token_behind_texts(tmp_path: Path) -> None:
    """It stays the tokenizer's own, whatever else ends an answer."""
    behind = changed(lambda content: content.update(post_processor=BEHIND))
    settings = {"bos_token": "the", "eos_token": tiny.END}
    (tmp_path / "tokenizer.json").write_text(behind)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    same(behind, dict(tokenizer_metadata(tmp_path, 300, (7,)).values))


def test_ids_without_a_token_are_never_made(tmp_path: Path) -> None:
    ours = Tokenizer.from_metadata(written(tmp_path, tiny.byte_level(), 310))
    assert ours.vocab_size == 310
    assert ours.token_bytes()[309] == b""
    with pytest.raises(ModelFileError, match="the network has 200"):
        written(tmp_path, tiny.byte_level(), 200)


def changed(change: Callable[[dict[str, Any]], object], of: str | None = None) -> str:
    content = json.loads(of or tiny.byte_level())
    change(content)
    return json.dumps(content)


LLAMA3 = {
    "type": "Sequence",
    "pretokenizers": [
        {
            "type": "Split",
            "pattern": {
                "Regex": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
                r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            },
            "behavior": "Isolated",
            "invert": False,
        },
        {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": False,
        },
    ],
}


def test_llama_3_and_qwen_are_told_by_their_digits(tmp_path: Path) -> None:
    def as_llama(content: dict[str, Any]) -> None:
        content["pre_tokenizer"] = LLAMA3
        content["model"]["ignore_merges"] = True

    def as_qwen(content: dict[str, Any]) -> None:
        content["pre_tokenizer"] = json.loads(json.dumps(LLAMA3).replace("{1,3}", ""))

    for name, change in (("llama-bpe", as_llama), ("qwen2", as_qwen)):
        metadata = written(tmp_path, changed(change))
        assert metadata["tokenizer.ggml.pre"] == name
        same(changed(change), {**metadata, "tokenizer.ggml.add_bos_token": False})


BEFORE = {
    "type": "TemplateProcessing",
    "single": [
        {"SpecialToken": {"id": "the", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ],
    "pair": [],
    "special_tokens": {"the": {"id": "the", "ids": [9], "tokens": ["the"]}},
}

BEHIND = {
    "type": "TemplateProcessing",
    "single": [
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": tiny.END, "type_id": 0}},
    ],
    "pair": [],
    "special_tokens": {tiny.END: {"id": tiny.END, "ids": [0], "tokens": [tiny.END]}},
}

UNKNOWN: dict[str, Callable[[dict[str, Any]], object]] = {
    "other words": lambda c: c.update(pre_tokenizer={"type": "Whitespace"}),
    "a space before": lambda c: c["pre_tokenizer"].update(add_prefix_space=True),
    "no pre-tokenizer": lambda c: c.update(pre_tokenizer=None),
    "no merges ignored": lambda c: c.update(pre_tokenizer=LLAMA3),
    "normalizer": lambda c: c.update(normalizer={"type": "NFC"}),
    "WordPiece": lambda c: c["model"].update(type="WordPiece"),
    "dropout": lambda c: c["model"].update(dropout=0.1),
    "suffix": lambda c: c["model"].update(end_of_word_suffix="</w>"),
    "another normalizer of pieces": lambda c: c["model"].update(byte_fallback=True),
    "another token before texts": lambda c: c.update(post_processor=BEFORE),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_known_is_refused_and_never_guessed(tmp_path: Path, case: str) -> None:
    with pytest.raises(UnsupportedError, match=r"tokenizer\.json"):
        written(tmp_path, changed(UNKNOWN[case]))


def test_a_tokenizer_that_would_give_other_tokens_is_refused(tmp_path: Path) -> None:
    # Found before the words are cut, and with the space before it: GGUF cannot say that.
    def strip(content: dict[str, Any]) -> None:
        content["added_tokens"][0]["lstrip"] = True

    with pytest.raises(UnsupportedError, match="becomes"):
        written(tmp_path, changed(strip))


DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no model": lambda c: c.update(model={"type": "BPE"}),
    "negative id": lambda c: c["model"]["vocab"].update(zz=-1),
    "huge id": lambda c: c["model"]["vocab"].update(zz=1 << 40),
    "true": lambda c: c["model"]["vocab"].update(zz=True),
    "one id twice": lambda c: c["model"]["vocab"].update(zz=5),
    "long token": lambda c: c["model"]["vocab"].update({"z" * 5000: 299}),
    "merge of three": lambda c: c["model"]["merges"].append("a b c"),
    "merge of numbers": lambda c: c["model"]["merges"].append([1, 2]),
    "merge of nothing": lambda c: c["model"]["merges"].append(["zq", "qz"]),
    "added of no kind": lambda c: c["added_tokens"].append({"id": "1", "content": "x"}),
    "added over another": lambda c: c["added_tokens"].append(
        {**c["added_tokens"][0], "id": 5, "content": "<x>"}
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(RouterError):
        written(tmp_path, changed(DAMAGED[case]))


def test_a_missing_tokenizer_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="save_pretrained"):
        tokenizer_metadata(tmp_path, 300, ())


KEY = "tokenizer.chat_template"


def test_chat_templates(tmp_path: Path) -> None:
    plain = tiny.byte_level()
    assert KEY not in written(tmp_path, plain)
    assert written(tmp_path, plain, chat_template="{{ a }}")[KEY] == "{{ a }}"
    named = [{"name": "rag", "template": "r"}, {"name": "default", "template": "d"}]
    assert written(tmp_path, plain, chat_template=named)[KEY] == "d"
    (tmp_path / "chat_template.jinja").write_text("{{ file }}")
    assert written(tmp_path, plain, chat_template=named)[KEY] == "{{ file }}"
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ModelFileError, match="chat_template"):
        written(tmp_path, plain, chat_template=3)
    with pytest.raises(ModelFileError):
        written(tmp_path, plain, chat_template="x" * (1 << 21))
