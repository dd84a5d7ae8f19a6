"""SentencePiece's BPE (``tokenizer.ggml.model`` = llama): merges follow from the scores."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tokenizers import Tokenizer as HfTokenizer
from tokenizers import normalizers
from tokenizers.models import BPE

from llm_runner_router.tokenizer.errors import TokenizerError
from llm_runner_router.tokenizer.vocabulary import TOKENS_KEY, TokenKind, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_runner_router.tokenizer.metadata import MetadataReader

SCORES_KEY = "tokenizer.ggml.scores"
SPACE = "▁"

# Every way to cut every token is looked at: the sum of squared lengths bounds that work.
_MAX_WORK = 1 << 29
_MAX_MERGES = 1 << 22
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


def build_spm(reader: MetadataReader, vocabulary: Vocabulary, *, space_prefix: bool) -> HfTokenizer:
    """The model without its control tokens: plain text can never become one."""
    scores = reader.numbers(SCORES_KEY, len(vocabulary.texts))
    plain = vocabulary.of_kinds(TokenKind.NORMAL, TokenKind.USER_DEFINED)
    merges = _derive_merges(plain, scores)
    has_bytes, unknown = _fallback(vocabulary)
    model = BPE(
        vocab=plain | vocabulary.of_kinds(TokenKind.BYTE) | unknown,
        merges=merges,
        byte_fallback=has_bytes,
        unk_token=next(iter(unknown), None),
    )
    tokenizer = HfTokenizer(model)
    spaces = normalizers.Replace(" ", SPACE)
    prefix = [normalizers.Prepend(SPACE)] if space_prefix else []
    tokenizer.normalizer = normalizers.Sequence([*prefix, spaces])
    return tokenizer


def spm_token_bytes(text: str, kind: TokenKind) -> bytes:
    """What a token adds to the text."""
    if kind is TokenKind.BYTE:
        byte = _BYTE.fullmatch(text)
        return bytes([int(byte[1], 16)]) if byte else b""
    if kind is TokenKind.USER_DEFINED:
        return text.encode()
    return text.replace(SPACE, " ").encode() if kind is TokenKind.NORMAL else b""


def _derive_merges(plain: Mapping[str, int], scores: Sequence[float]) -> list[tuple[str, str]]:
    """Every pair of tokens that makes a token, the best-scored first.

    Tokens of equal score merge in the order of their ids, where SentencePiece takes the leftmost;
    trained vocabularies have no equal scores among tokens that compete.
    """
    if sum(len(text) ** 2 for text in plain) > _MAX_WORK:
        raise TokenizerError(TOKENS_KEY, "tokens too long altogether", "ordinary word pieces")
    merges: list[tuple[str, str]] = []
    for text in sorted(plain, key=lambda text: (-scores[plain[text]], plain[text])):
        cuts = ((text[:cut], text[cut:]) for cut in range(1, len(text)))
        merges += [pair for pair in cuts if pair[0] in plain and pair[1] in plain]
        if len(merges) > _MAX_MERGES:
            raise TokenizerError(TOKENS_KEY, "too many mergeable pairs", f"at most {_MAX_MERGES}")
    return merges


def _fallback(vocabulary: Vocabulary) -> tuple[bool, dict[str, int]]:
    """Whether letters outside the vocabulary become bytes, or else the token they become."""
    texts = vocabulary.of_kinds(TokenKind.BYTE)
    if all(f"<0x{byte:02X}>" in texts for byte in range(256)):
        return True, {}
    if vocabulary.unknown_id is None:
        allowed = "tokens <0x00> to <0xFF> of type 6, or an unknown token"
        raise TokenizerError(TOKENS_KEY, f"{len(texts)} byte tokens", allowed)
    return False, {vocabulary.texts[vocabulary.unknown_id]: vocabulary.unknown_id}
