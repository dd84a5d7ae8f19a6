"""The tokens of a GGUF file: texts and kinds by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.tokenizer_json import TokenizerJson
from llm_runner_router.tokenizer.metadata import MetadataValue
from llm_runner_router.tokenizer.vocabulary import KINDS_KEY, TOKENS_KEY, TokenKind


def token_metadata(
    tokenizer: TokenizerJson, size: int, kind_of: Callable[[str], TokenKind]
) -> dict[str, MetadataValue]:
    """Texts and kinds of ``size`` tokens.

    Ids that the tokenizer leaves out become tokens that are never made. ModelFileError where it has
    more tokens than the network, or one id twice.

    Args:
        tokenizer: the tokens.
        size: how many the network has.
        kind_of: the kind of a token that is not an added one.
    """
    texts: dict[int, str] = {}
    kinds: dict[int, TokenKind] = {}
    added = {token.text: token for token in tokenizer.added}
    for text, token in tokenizer.ids.items():
        if token >= size:
            raise damaged(TOKENIZER, f"has a token of id {token}, the network has {size} tokens")
        if texts.setdefault(token, text) != text:
            raise damaged(TOKENIZER, f"gives the id {token} to two tokens")
        kinds[token] = kind_of(text)
        if text in added and kinds[token] is TokenKind.NORMAL:
            special = added[text].special
            kinds[token] = TokenKind.CONTROL if special else TokenKind.USER_DEFINED
    padded = padding(size, texts)
    return {
        TOKENS_KEY: [texts.get(token) or padded[token] for token in range(size)],
        KINDS_KEY: [int(kinds.get(token, TokenKind.UNUSED)) for token in range(size)],
    }


def padding(size: int, texts: Mapping[int, str]) -> Mapping[int, str]:
    """Texts of the ids that have none: each once, and none that there is already."""
    taken = set(texts.values())
    names: dict[int, str] = {}
    for token in range(size):
        if token not in texts:
            name = f"[PAD{token}]"
            while name in taken:
                name = f"[{name}]"
            taken.add(name)
            names[token] = name
    return names
