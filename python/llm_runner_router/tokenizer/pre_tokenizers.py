"""How the known byte-level BPE vocabularies cut text into words before merging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split

from llm_runner_router.tokenizer.errors import TokenizerError

if TYPE_CHECKING:
    from collections.abc import Mapping

PRE_TOKENIZER_KEY = "tokenizer.ggml.pre"

_GPT2_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORDS_WITH_MARKS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True)
class PreTokenizerRule:
    """Patterns applied one after the other, each to the pieces that the one before left."""

    patterns: tuple[str, ...]
    ignore_merges: bool = False
    add_bos: bool = False

    def build(self) -> PreTokenizer:
        """The cutting followed by the byte alphabet. All patterns run in linear time."""
        splits = [Split(Regex(pattern), "isolated") for pattern in self.patterns]
        return Sequence([*splits, ByteLevel(add_prefix_space=False, use_regex=False)])


_GPT2 = PreTokenizerRule((_GPT2_WORDS,))
_LLAMA3 = PreTokenizerRule((_WORDS_WITH_MARKS % r"\p{N}{1,3}",), ignore_merges=True, add_bos=True)
_QWEN2 = PreTokenizerRule((_WORDS_WITH_MARKS % r"\p{N}",))
_SINGLE_DIGITS = PreTokenizerRule((r"\p{N}", _GPT2_WORDS))
_DEFAULT = PreTokenizerRule((r"[\p{P}\$\+<=>\^~\|]+", _GPT2_WORDS, r"\p{N}+", r"[0-9][0-9][0-9]"))

_RULES: Mapping[str, PreTokenizerRule] = {
    "default": _DEFAULT,
    "gpt-2": _GPT2,
    "phi-2": _GPT2,
    "llama-bpe": _LLAMA3,
    "llama3": _LLAMA3,
    "llama-v3": _LLAMA3,
    "falcon3": _LLAMA3,
    "qwen2": _QWEN2,
    "deepseek-r1-qwen": _QWEN2,
    "smollm": _SINGLE_DIGITS,
    "starcoder": _SINGLE_DIGITS,
}


def pre_tokenizer_rule(name: str) -> PreTokenizerRule:
    """The rule of that name in ``tokenizer.ggml.pre``."""
    rule = _RULES.get(name)
    if rule is None:
        raise TokenizerError(PRE_TOKENIZER_KEY, name, ", ".join(sorted(_RULES)))
    return rule
