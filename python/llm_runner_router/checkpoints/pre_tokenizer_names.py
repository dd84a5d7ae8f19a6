"""The GGUF names of byte-level pre-tokenizers, told by their whole description in tokenizer.json.

What is not one of these is refused: a name that is guessed would cut texts otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llm_runner_router.checkpoints.faults import unsupported

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LETTERS = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
_GPT2 = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}


def _split(digits: str) -> dict[str, object]:
    split: dict[str, object] = {"type": "Split", "pattern": {"Regex": _WORDS % digits}}
    split |= {"behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, _LETTERS]}


_DIGITS = {"type": "Digits", "individual_digits": True}

DESCRIPTIONS: Mapping[str, Mapping[str, object]] = {
    "gpt-2": _GPT2,
    "llama-bpe": _split(r"\p{N}{1,3}"),
    "qwen2": _split(r"\p{N}"),
    "smollm": {"type": "Sequence", "pretokenizers": [_DIGITS, _GPT2]},
}

IGNORES_MERGES = frozenset({"llama-bpe"})


def pre_tokenizer_name(found: object, *, ignore_merges: bool) -> str:
    """The name; UnsupportedError for an unknown pre-tokenizer, with what it is.

    ``ignore_merges`` is that of the model: whether whole words are looked up before merging.
    """
    plain = without_offsets(found)
    for name, description in DESCRIPTIONS.items():
        if plain == description and ignore_merges is (name in IGNORES_MERGES):
            return name
    shown = json.dumps(plain)
    raise unsupported("tokenizer.json: pre_tokenizer", shown, ", ".join(DESCRIPTIONS))


def without_offsets(found: object) -> object:
    """A description without ``trim_offsets``, which changes no token."""
    match found:
        case dict():
            kept = {key: value for key, value in found.items() if key != "trim_offsets"}
            if kept.get("type") == "ByteLevel":
                kept.setdefault("use_regex", True)
            return {key: without_offsets(value) for key, value in kept.items()}
        case list():
            return [without_offsets(value) for value in found]
        case _:
            return found
