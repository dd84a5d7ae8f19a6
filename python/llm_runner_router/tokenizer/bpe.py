"""Byte-level BPE (``tokenizer.ggml.model`` = gpt2): merges from the file, bytes as letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer as HfTokenizer
from tokenizers.models import BPE

from llm_runner_router.tokenizer.errors import TokenizerError
from llm_runner_router.tokenizer.vocabulary import TokenKind, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_runner_router.tokenizer.metadata import MetadataReader
    from llm_runner_router.tokenizer.pre_tokenizers import PreTokenizerRule

MERGES_KEY = "tokenizer.ggml.merges"
MAX_MERGES = 1 << 22


def _byte_letters() -> dict[str, int]:
    """The byte that each letter of GPT-2's alphabet stands for: printable ones are themselves."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(0x100 + place): byte for place, byte in enumerate(others)}


BYTE_OF_LETTER = _byte_letters()


def build_bpe(
    reader: MetadataReader, vocabulary: Vocabulary, rule: PreTokenizerRule
) -> HfTokenizer:
    """The model without its control tokens: plain text can never become one."""
    plain = vocabulary.of_kinds(TokenKind.NORMAL, TokenKind.USER_DEFINED)
    merges = _read_merges(reader, vocabulary, plain)
    model = BPE(vocab=plain, merges=merges, ignore_merges=rule.ignore_merges)
    tokenizer = HfTokenizer(model)
    tokenizer.pre_tokenizer = rule.build()
    return tokenizer


def bpe_token_bytes(text: str, kind: TokenKind) -> bytes:
    """What a token adds to the text."""
    if kind is TokenKind.USER_DEFINED:
        return text.encode()
    if kind is not TokenKind.NORMAL:
        return b""
    try:
        return bytes(BYTE_OF_LETTER[letter] for letter in text)
    except KeyError:  # not of the alphabet: some files keep such tokens as they are
        return text.encode()


def missing_bytes(vocabulary: Vocabulary) -> bytes:
    """Bytes that have no token of their own; text with them cannot be encoded faithfully."""
    return bytes(byte for letter, byte in BYTE_OF_LETTER.items() if letter not in vocabulary.ids)


def _read_merges(
    reader: MetadataReader, vocabulary: Vocabulary, plain: dict[str, int]
) -> list[tuple[str, str]]:
    merges = []
    for line in reader.texts(MERGES_KEY, MAX_MERGES):
        left, _, right = line.partition(" ")
        _check_merge(line, (left, right, left + right), vocabulary)
        if left in plain and right in plain and left + right in plain:
            merges.append((left, right))
    return merges


def _check_merge(line: str, tokens: Sequence[str], vocabulary: Vocabulary) -> None:
    if not all(token in vocabulary.ids for token in tokens):
        raise TokenizerError(MERGES_KEY, line, "two tokens of the vocabulary that make a third")
