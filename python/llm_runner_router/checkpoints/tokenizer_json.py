"""tokenizer.json, as the library ``tokenizers`` writes it: its BPE model and its added tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.checkpoints.faults import damaged, unsupported
from llm_runner_router.checkpoints.fields import is_unicode
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.tokenizer.vocabulary import MAX_TOKEN_LENGTH, MAX_TOKENS

MAX_MERGES = 1 << 22


@dataclass(frozen=True, slots=True)
class AddedToken:
    """A token that is found in texts before anything else; ``special`` ones are control tokens."""

    id: int
    text: str
    special: bool


@dataclass(frozen=True, slots=True)
class TokenizerJson:
    """What of the file matters. The ids of ``vocabulary`` and ``added`` differ, or agree."""

    vocabulary: Mapping[str, int]
    merges: Sequence[tuple[str, str]]
    added: Sequence[AddedToken]
    normalizer: object
    pre_tokenizer: object
    byte_fallback: bool
    ignore_merges: bool
    unknown: str | None

    @property
    def ids(self) -> Mapping[str, int]:
        """All tokens by their texts."""
        return {**self.vocabulary, **{token.text: token.id for token in self.added}}


def parsed_tokenizer(content: Mapping[str, Any]) -> TokenizerJson:
    """The parts of the file, each checked; UnsupportedError for models other than plain BPE."""
    model = content.get("model")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else model
        raise unsupported(f"{TOKENIZER}: model", kind, "BPE")
    for key in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(key) not in (None, "", 0):
            raise unsupported(f"{TOKENIZER}: model.{key}", model[key], "null")
    unknown = model.get("unk_token")
    return TokenizerJson(
        vocabulary=vocabulary_of(model.get("vocab")),
        merges=merges_of(model.get("merges")),
        added=added_of(content.get("added_tokens")),
        normalizer=content.get("normalizer"),
        pre_tokenizer=content.get("pre_tokenizer"),
        byte_fallback=model.get("byte_fallback") is True,
        ignore_merges=model.get("ignore_merges") is True,
        unknown=unknown if isinstance(unknown, str) else None,
    )


def vocabulary_of(found: object) -> Mapping[str, int]:
    """Ids by text."""
    if not isinstance(found, dict) or not 0 < len(found) <= MAX_TOKENS:
        raise damaged(TOKENIZER, f"model.vocab is no object of 1 to {MAX_TOKENS} tokens")
    if not all(is_token(text, token) for text, token in found.items()):
        raise damaged(TOKENIZER, "model.vocab has a token whose text or id makes no sense")
    if len(set(found.values())) != len(found):
        raise damaged(TOKENIZER, "model.vocab gives one id to two tokens")
    return found


def is_token(text: object, token: object) -> bool:
    """Whether a token's text and id are within the limits."""
    good = isinstance(text, str) and 0 < len(text) <= MAX_TOKEN_LENGTH and is_unicode(text)
    return good and type(token) is int and 0 <= token < MAX_TOKENS


def merges_of(found: object) -> Sequence[tuple[str, str]]:
    """Pairs, the first merge first; older files write a pair as one text with a space in it."""
    if not isinstance(found, list) or len(found) > MAX_MERGES:
        raise damaged(TOKENIZER, f"model.merges is no list of at most {MAX_MERGES} pairs")
    pairs = []
    for entry in found:
        match entry:
            case str(text) if text.count(" ") == 1:
                left, _, right = text.partition(" ")
            case [str(left), str(right)]:
                pass
            case _:
                raise damaged(TOKENIZER, f"model.merges has {str(entry)[:100]!r}, which is no pair")
        pairs.append((left, right))
    return pairs


def added_of(found: object) -> Sequence[AddedToken]:
    """The added tokens in the order of the file."""
    if not isinstance(found, list | None) or len(found or ()) > MAX_TOKENS:
        raise damaged(TOKENIZER, "added_tokens is no list of tokens")
    tokens = []
    for entry in found or ():
        match entry:
            case {"id": int(token), "content": str(text)} if is_token(text, token):
                tokens.append(AddedToken(token, text, special=entry.get("special") is True))
            case _:
                raise damaged(
                    TOKENIZER, f"added_tokens has {str(entry)[:100]!r}, which is no token"
                )
    return tokens
