"""Which tokens begin and end texts: tokenizer_config.json, and the settings of generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.checkpoints.faults import damaged, unsupported
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.tokenizer.metadata import MetadataValue
from llm_runner_router.tokenizer.tokenizer import ADD_BOS_KEY, ADD_EOS_KEY
from llm_runner_router.tokenizer.vocabulary import MAX_TOKENS

NAMES = {"bos": "bos", "unk": "unknown", "pad": "padding"}
"""The words of Transformers, and those of GGUF."""

SPECIAL_TOKENS = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "pad"))
"""The settings that name a token."""

MORE_ENDS = ("eot", "eom")
"""GGUF's words for the further tokens that end an answer."""


@dataclass(frozen=True, slots=True)
class Affixes:
    """What tokenizer.json puts a text between: at most the token that begins and that ends it."""

    add_bos: bool
    add_eos: bool


def special_metadata(
    ids: Mapping[str, int], settings: Fields, ends: Sequence[int], affixes: Affixes
) -> dict[str, MetadataValue]:
    """The keys of special tokens.

    Args:
        ids: all tokens by their texts.
        settings: tokenizer_config.json, over special_tokens_map.json.
        ends: the tokens that end an answer, as generation is configured.
        affixes: what the tokenizer puts before and behind a text.
    """
    found = {word: named_token(ids, settings, f"{name}_token") for name, word in NAMES.items()}
    own_end = named_token(ids, settings, "eos_token")
    ended = [end for end in (own_end, *ends) if end is not None]
    first = own_end in ends or affixes.add_eos  # what is put behind texts is the first of them
    ordered = list(dict.fromkeys(ended if first else [*ends, *ended]))
    if len(ordered) > 1 + len(MORE_ENDS):
        raise unsupported("eos_token_id", ordered, f"at most {1 + len(MORE_ENDS)} tokens")
    found |= dict(zip(("eos", *MORE_ENDS), ordered, strict=False))
    metadata: dict[str, MetadataValue] = {
        f"tokenizer.ggml.{word}_token_id": token
        for word, token in found.items()
        if token is not None
    }
    metadata[ADD_BOS_KEY] = affixes.add_bos
    metadata[ADD_EOS_KEY] = affixes.add_eos
    return metadata


def overruled(settings: Fields, affixes: Affixes) -> tuple[str, ...]:
    """Flags of the settings that tokenizer.json contradicts, in words.

    Transformers does not look at them where there is a tokenizer.json.
    """
    does = {"add_bos_token": affixes.add_bos, "add_eos_token": affixes.add_eos}
    return tuple(
        f"{settings.file}: {key} is {str(not done).lower()}, but {TOKENIZER} does otherwise, "
        "which counts here as in Transformers"
        for key, done in does.items()
        if settings.flag(key, default=done) is not done
    )


def named_token(ids: Mapping[str, int], settings: Fields, key: str) -> int | None:
    """The id of a token that a setting names."""
    text = token_text(settings, key)
    return None if text is None else ids.get(text)


def token_text(settings: Fields, key: str) -> str | None:
    """The text of a token that a setting names, alone or in an object."""
    match settings.raw(key):
        case None:
            return None
        case str(text) | {"content": str(text)}:
            return text
        case _:
            raise settings.wrong(key, "the text of a token")


def end_tokens(config: Fields, generation: GenerationSettings) -> Sequence[int]:
    """The tokens that end an answer: those of the settings of generation, else of config.json."""
    said = Fields(generation.file, generation.values)
    source = said if said.has("eos_token_id") else config
    found: Any = source.raw("eos_token_id")
    listed = found if isinstance(found, list) else [] if found is None else [found]
    if not all(type(token) is int and 0 <= token < MAX_TOKENS for token in listed):
        raise damaged(source.file, f"eos_token_id is {str(found)[:100]}; allowed: ids of tokens")
    return tuple(dict.fromkeys(listed))
