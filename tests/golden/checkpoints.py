"""Checkpoints as Transformers itself writes them: small, random, each with a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
)

from unit import tiny_checkpoint as tiny

torch.set_num_threads(1)  # the models are tiny, and threads would wait for each other
transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]

CONTEXT = 128
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ message.role }}: "
    "{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


@dataclass(frozen=True)
class Variant:
    """How a checkpoint is made; ``saving`` are arguments of save_pretrained."""

    model: Callable[[int], Any]
    pieces: bool = False
    element: torch.dtype = torch.float32
    saving: Mapping[str, Any] | None = None


def sizes(vocabulary: int, end: int = 0) -> dict[str, Any]:
    """What llama and its kin share."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": end,
        "eos_token_id": end,
        "initializer_range": 0.2,
    }


def llama(vocabulary: int) -> Any:
    """With biases of attention, and the scaling of Llama 3."""
    return LlamaForCausalLM(
        LlamaConfig(**sizes(vocabulary), attention_bias=True, rope_parameters=LLAMA3)
    )


def tied_llama(vocabulary: int) -> Any:
    """With one matrix for both ends, wide heads, and biases of the feed-forward part."""
    wide = {"tie_word_embeddings": True, "head_dim": 32, "mlp_bias": True}
    return LlamaForCausalLM(LlamaConfig(**sizes(vocabulary, 2), **wide))


def mistral(vocabulary: int) -> Any:
    """Attention without a window."""
    return MistralForCausalLM(MistralConfig(**sizes(vocabulary), sliding_window=None))


def gpt2(vocabulary: int) -> Any:
    """Ordinary."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_embd=64,
            n_layer=2,
            n_head=4,
            n_positions=CONTEXT,
            bos_token_id=0,
            eos_token_id=0,
            initializer_range=0.2,
        )
    )


VARIANTS = {
    "llama": Variant(llama),
    "tied llama in shards of bfloat16": Variant(
        tied_llama, pieces=True, element=torch.bfloat16, saving={"max_shard_size": "60KB"}
    ),
    "mistral": Variant(mistral, element=torch.float16),
    "gpt2": Variant(gpt2),
}


def random_biases(model: Any) -> None:
    """Biases and norms begin as zeros and ones, where a mistake would not show."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1:
            center = 0.0 if name.endswith("bias") else 1.0
            torch.nn.init.normal_(parameter, center, 0.2)


def write(name: str, folder: Path) -> Path:
    """The checkpoint of a variant."""
    variant = VARIANTS[name]
    content = tiny.sentence_pieces() if variant.pieces else tiny.byte_level()
    marks = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    plain = {"bos_token": tiny.END, "eos_token": tiny.END}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(content), **(marks if variant.pieces else plain)
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(1)
    model = variant.model(len(tokenizer))
    random_biases(model)
    model.to(variant.element).save_pretrained(folder, **(variant.saving or {}))
    tokenizer.save_pretrained(folder)
    return folder


def loaded(folder: Path) -> Any:
    """The model as Transformers computes it in F32."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
