"""The vocabulary of a GGUF file: texts, kinds, scores and the ids that mean something."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from llm_runner_router.tokenizer.errors import TokenizerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_runner_router.tokenizer.metadata import MetadataReader

TOKENS_KEY = "tokenizer.ggml.tokens"
KINDS_KEY = "tokenizer.ggml.token_type"

MAX_TOKENS = 1 << 20
MAX_TOKEN_LENGTH = 2048

# Names that end an answer, whatever kind the file gives them: many files get the kind wrong.
_END_OF_TURN_NAMES = (
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - DeepSeek spells it so
    "<end_of_utterance>",
)
_END_OF_MESSAGE_NAMES = ("<|eom_id|>",)
_OTHER_END_NAMES = (
    "</s>",
    "<eos>",
    "[EOS]",
    "<|return|>",
    "<|call|>",
    # Fill-in-the-middle models go on with another file after these.
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<|repo_name|>",
    "<|fim_repo|>",
    "<|file_sep|>",
)


class TokenKind(IntEnum):
    """The token types of GGUF."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


# Kinds that text turns into only where its author may write control tokens.
CONTROL_KINDS = frozenset({TokenKind.CONTROL, TokenKind.UNKNOWN})


@dataclass(frozen=True)
class Vocabulary:
    """Texts and kinds by id, ids by text, and the special ids; None where there is none."""

    texts: Sequence[str]
    kinds: Sequence[TokenKind]
    ids: Mapping[str, int]
    bos_id: int | None
    eos_id: int | None
    eot_id: int | None
    eom_id: int | None
    unknown_id: int | None
    padding_id: int | None
    end_of_generation_ids: frozenset[int]

    def of_kinds(self, *kinds: TokenKind) -> dict[str, int]:
        """Ids by text of every token with text of these kinds."""
        wanted = frozenset(kinds)
        return {
            text: token
            for token, (text, kind) in enumerate(zip(self.texts, self.kinds, strict=True))
            if text and kind in wanted
        }


@dataclass(frozen=True)
class DefaultIds:
    """The ids that a kind of vocabulary has where the file names none."""

    bos: int | None = None
    eos: int | None = None
    unknown: int | None = None


def read_vocabulary(reader: MetadataReader, defaults: DefaultIds) -> Vocabulary:
    """Reads and checks everything of the vocabulary but scores and merges."""
    texts = reader.texts(TOKENS_KEY, MAX_TOKENS)
    ids = _index(texts)
    kinds = _read_kinds(reader, len(texts))

    def token_id(name: str, default: int | None = None) -> int | None:
        given = reader.token_id(f"tokenizer.ggml.{name}_token_id", len(texts))
        return default if given is None and default is not None and default < len(texts) else given

    eos = token_id("eos", defaults.eos)
    eot = _or_named(token_id("eot"), _END_OF_TURN_NAMES, ids)
    eom = _or_named(token_id("eom"), _END_OF_MESSAGE_NAMES, ids)
    ends = _end_ids(ids, (eos, eot, eom))
    for token in _named_ends(ids):
        kinds[token] = TokenKind.CONTROL
    return Vocabulary(
        texts=tuple(texts),
        kinds=tuple(kinds),
        ids=ids,
        bos_id=token_id("bos", defaults.bos),
        eos_id=eos,
        eot_id=eot,
        eom_id=eom,
        unknown_id=token_id("unknown", defaults.unknown),
        padding_id=token_id("padding"),
        end_of_generation_ids=ends,
    )


def _index(texts: Sequence[str]) -> dict[str, int]:
    """Ids by text. Empty texts are tolerated: such a token is never made and shows nothing."""
    if not texts:
        raise TokenizerError(TOKENS_KEY, "0 entries", "at least one token")
    ids: dict[str, int] = {}
    for token, text in enumerate(texts):
        if len(text) > MAX_TOKEN_LENGTH:
            raise TokenizerError(TOKENS_KEY, text, f"tokens of at most {MAX_TOKEN_LENGTH} letters")
        if text and ids.setdefault(text, token) != token:
            raise TokenizerError(
                TOKENS_KEY, text, f"each token once; {ids[text]} and {token} agree"
            )
    return ids


def _read_kinds(reader: MetadataReader, count: int) -> list[TokenKind]:
    if not reader.has(KINDS_KEY):
        return [TokenKind.NORMAL] * count
    by_number: dict[int, TokenKind] = {int(kind): kind for kind in TokenKind}
    kinds = []
    for number in reader.integers(KINDS_KEY, count):
        kind = by_number.get(number)
        if kind is None:
            raise TokenizerError(KINDS_KEY, number, "1 to 6")
        kinds.append(kind)
    return kinds


def _or_named(given: int | None, names: Sequence[str], ids: Mapping[str, int]) -> int | None:
    found = (ids[name] for name in names if name in ids)
    return next(found, None) if given is None else given


def _named_ends(ids: Mapping[str, int]) -> frozenset[int]:
    names = (*_END_OF_TURN_NAMES, *_END_OF_MESSAGE_NAMES, *_OTHER_END_NAMES)
    ends = {ids[name] for name in names if name in ids}
    if "<|return|>" in ids and "<|call|>" in ids:
        # In this family <|end|> closes a part of an answer, not the answer.
        ends.discard(ids.get("<|end|>", -1))
    return frozenset(ends)


def _end_ids(ids: Mapping[str, int], given: Sequence[int | None]) -> frozenset[int]:
    return _named_ends(ids) | {token for token in given if token is not None}
