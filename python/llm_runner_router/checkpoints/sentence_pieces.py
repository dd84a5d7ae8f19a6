"""SentencePiece's BPE with bytes for unknown letters, as Llama 2 has it (``llama`` in GGUF)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llm_runner_router.checkpoints.faults import unsupported
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.tokenizer_json import TokenizerJson
from llm_runner_router.checkpoints.vocabulary import token_metadata
from llm_runner_router.tokenizer.metadata import MetadataValue
from llm_runner_router.tokenizer.spm import SCORES_KEY, SPACE
from llm_runner_router.tokenizer.tokenizer import ADD_SPACE_KEY, MODEL_KEY, SPACE_RULE_KEY
from llm_runner_router.tokenizer.vocabulary import TOKENS_KEY, TokenKind

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
PREPEND = {"type": "Prepend", "prepend": SPACE}
METASPACE = {"type": "Metaspace", "replacement": SPACE, "split": False}
SCHEMES: Mapping[str, Mapping[str, MetadataValue]] = {
    "never": {ADD_SPACE_KEY: False},
    "first": {ADD_SPACE_KEY: True, SPACE_RULE_KEY: "first"},
    "always": {ADD_SPACE_KEY: True, SPACE_RULE_KEY: "each"},
}
NEVER_MERGED = -1e9
"""The score of tokens that no merge makes: below all others."""


def sentence_piece_metadata(tokenizer: TokenizerJson, size: int) -> dict[str, MetadataValue]:
    """The keys of the tokenizer for a network of ``size`` tokens."""

    def kind_of(text: str) -> TokenKind:
        if text == tokenizer.unknown:
            return TokenKind.UNKNOWN
        return TokenKind.BYTE if BYTE.fullmatch(text) else TokenKind.NORMAL

    tokens = token_metadata(tokenizer, size, kind_of)
    scores = scores_of(tokenizer)
    return {
        MODEL_KEY: "llama",
        "tokenizer.ggml.pre": "default",
        **space_metadata(tokenizer),
        **tokens,
        SCORES_KEY: [scores.get(text, NEVER_MERGED) for text in texts_of(tokens)],
    }


def texts_of(tokens: dict[str, MetadataValue]) -> list[str]:
    """The texts among the keys."""
    texts = tokens[TOKENS_KEY]
    return [str(text) for text in texts] if isinstance(texts, list) else []


def scores_of(tokenizer: TokenizerJson) -> dict[str, float]:
    """Of each token that a merge makes, the better the earlier the merge."""
    scores: dict[str, float] = {}
    for rank, (left, right) in enumerate(tokenizer.merges):
        scores.setdefault(left + right, -float(rank))
    return scores


def space_metadata(tokenizer: TokenizerJson) -> dict[str, MetadataValue]:
    """Which texts begin with a space that nobody wrote.

    Llama 2's older files have a normalizer for it, newer ones a pre-tokenizer, which leaves texts
    alone that begin with a space.
    """
    match tokenizer.normalizer, tokenizer.pre_tokenizer:
        case {"type": "Sequence", "normalizers": steps}, None if steps == [PREPEND, REPLACE]:
            return {ADD_SPACE_KEY: True}
        case {"type": "Sequence", "normalizers": steps}, None if steps == [REPLACE]:
            return {ADD_SPACE_KEY: False}
        case found, None if found == REPLACE:
            return {ADD_SPACE_KEY: False}
        case None, {"prepend_scheme": str(scheme), **rest} if (
            scheme in SCHEMES and rest == METASPACE
        ):
            return dict(SCHEMES[scheme])
        case normalizer, pre_tokenizer:
            found = f"normalizer {normalizer}, pre_tokenizer {pre_tokenizer}"
            raise unsupported(
                TOKENIZER, found, f"those of Llama 2: {PREPEND}, {REPLACE}, {METASPACE}"
            )
