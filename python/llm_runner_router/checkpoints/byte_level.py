"""Byte-level BPE, as GPT-2, Llama 3 and Qwen have it (``tokenizer.ggml.model`` = gpt2)."""

from __future__ import annotations

from llm_runner_router.checkpoints.faults import unsupported
from llm_runner_router.checkpoints.file_names import TOKENIZER
from llm_runner_router.checkpoints.pre_tokenizer_names import pre_tokenizer_name
from llm_runner_router.checkpoints.tokenizer_json import TokenizerJson
from llm_runner_router.checkpoints.vocabulary import token_metadata
from llm_runner_router.tokenizer.bpe import MERGES_KEY
from llm_runner_router.tokenizer.metadata import MetadataValue
from llm_runner_router.tokenizer.pre_tokenizers import PRE_TOKENIZER_KEY
from llm_runner_router.tokenizer.tokenizer import MODEL_KEY
from llm_runner_router.tokenizer.vocabulary import TokenKind


def byte_level_metadata(tokenizer: TokenizerJson, size: int) -> dict[str, MetadataValue]:
    """The keys of the tokenizer for a network of ``size`` tokens."""
    if tokenizer.normalizer is not None:
        raise unsupported(
            f"{TOKENIZER}: normalizer", tokenizer.normalizer, "none for byte-level BPE"
        )
    name = pre_tokenizer_name(tokenizer.pre_tokenizer, ignore_merges=tokenizer.ignore_merges)
    return {
        MODEL_KEY: "gpt2",
        PRE_TOKENIZER_KEY: name,
        **token_metadata(tokenizer, size, lambda _: TokenKind.NORMAL),
        MERGES_KEY: [f"{left} {right}" for left, right in tokenizer.merges],
    }
