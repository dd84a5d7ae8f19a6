"""The tokenizer of a checkpoint as the metadata of a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.checkpoints.byte_level import byte_level_metadata
from llm_runner_router.checkpoints.chat_template import KEY, chat_template
from llm_runner_router.checkpoints.faults import damaged, unsupported
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.file_names import SETTINGS, SPECIAL, TOKENIZER
from llm_runner_router.checkpoints.library_tokenizer import LibraryTokenizer
from llm_runner_router.checkpoints.probes import affixes_of, check_same
from llm_runner_router.checkpoints.sentence_pieces import sentence_piece_metadata
from llm_runner_router.checkpoints.special_tokens import (
    Affixes,
    named_token,
    overruled,
    special_metadata,
)
from llm_runner_router.checkpoints.text_file import json_object, read_object, read_text
from llm_runner_router.checkpoints.tokenizer_json import TokenizerJson, parsed_tokenizer
from llm_runner_router.tokenizer.metadata import MetadataValue


@dataclass(frozen=True, slots=True)
class TokenizerMetadata:
    """All keys below ``tokenizer.``; ``notes`` say in words what does not count."""

    values: Mapping[str, MetadataValue]
    notes: tuple[str, ...] = ()


def tokenizer_metadata(folder: Path, size: int, ends: tuple[int, ...]) -> TokenizerMetadata:
    """The metadata that gives the tokens that tokenizer.json gives.

    Args:
        folder: that of the checkpoint.
        size: how many tokens the network has.
        ends: the tokens that end an answer, as generation is configured.
    """
    if not (folder / TOKENIZER).exists():
        how = "tokenizer.save_pretrained(FOLDER) of a recent Transformers writes it"
        raise damaged(TOKENIZER, f"is missing: {how}")
    content = read_text(folder / TOKENIZER)
    tokenizer = parsed_tokenizer(json_object(TOKENIZER, content.encode()))
    settings = settings_of(folder)
    pieces = sentence_piece_metadata if tokenizer.byte_fallback else byte_level_metadata
    metadata = pieces(tokenizer, size)
    theirs = LibraryTokenizer(content)
    affixes = affixes_in(theirs, tokenizer, settings)
    metadata |= special_metadata(tokenizer.ids, settings, ends, affixes)
    check_same(theirs, tokenizer, metadata)
    template = chat_template(folder, settings)
    values = {**metadata, KEY: template} if template else metadata
    return TokenizerMetadata(values, overruled(settings, affixes))


def settings_of(folder: Path) -> Fields:
    """tokenizer_config.json, laid over special_tokens_map.json; both may be missing."""
    parts = [read_object(folder / name) for name in (SPECIAL, SETTINGS) if (folder / name).exists()]
    return Fields(SETTINGS, {key: value for part in parts for key, value in part.items()})


def affixes_in(theirs: LibraryTokenizer, tokenizer: TokenizerJson, settings: Fields) -> Affixes:
    """Whether texts begin and end with a token; UnsupportedError where it is another one."""
    before, behind = affixes_of(theirs)
    begins = named_token(tokenizer.ids, settings, "bos_token")
    ends = named_token(tokenizer.ids, settings, "eos_token")
    if list(before) not in ([], [begins]) or list(behind) not in ([], [ends]):
        allowed = "bos_token before a text, eos_token behind it"
        raise unsupported(f"{TOKENIZER}: post_processor", [*before, "…", *behind], allowed)
    return Affixes(bool(before), bool(behind))
