"""Which texts begin with a space that nobody wrote, where a converted file says so."""

from __future__ import annotations

import pytest

from llm_runner_router.checkpoints.sentence_pieces import sentence_piece_metadata
from llm_runner_router.checkpoints.text_file import json_object
from llm_runner_router.checkpoints.tokenizer_json import parsed_tokenizer
from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from llm_runner_router.tokenizer.metadata import Metadata
from unit import tiny_checkpoint as tiny

KEY = "llm_runner_router.tokenizer.space_prefix"


def metadata(**changes: object) -> Metadata:
    content = json_object("t", tiny.sentence_pieces("first").encode())
    found: Metadata = sentence_piece_metadata(parsed_tokenizer(content), 400)
    return {**found, **changes}  # type: ignore[dict-item]


def pieces(rule: str | None, text: str) -> list[str]:
    """The tokens of a text as the vocabulary spells them."""
    values = {key: value for key, value in metadata().items() if key != KEY}
    tokenizer = Tokenizer.from_metadata(values if rule is None else {**values, KEY: rule})
    ids = tokenizer.encode(text, add_special=False, parse_special=True)
    return [tokenizer.token_text(token) for token in ids]


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("first", "the</s>the", ["▁the", "</s>", "the"]),
        ("each", "the</s>the", ["▁the", "</s>", "▁the"]),
        (None, "the</s>the", ["▁the", "</s>", "▁the"]),
        ("first", " the", ["▁the"]),
        ("each", "</s> the", ["</s>", "▁the"]),
        (None, " the", ["▁", "▁the"]),
        ("first", "</s>the", ["</s>", "the"]),
        ("first", "the</s> the", ["▁the", "</s>", "▁the"]),
    ],
)
def test_rules(rule: str | None, text: str, expected: list[str]) -> None:
    assert pieces(rule, text) == expected


def test_another_rule_is_an_error() -> None:
    with pytest.raises(TokenizerError, match="space_prefix"):
        Tokenizer.from_metadata(metadata(**{KEY: "last"}))


def test_the_space_is_taken_away_again() -> None:
    tokenizer = Tokenizer.from_metadata(metadata())
    assert tokenizer.decode(tokenizer.encode("the fox")) == "the fox"
    assert tokenizer.leading_space
