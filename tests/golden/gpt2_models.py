"""Small random GPT-2 models, made with transformers and exported to GGUF.

As in ``reference_models``, weights spread the logits and no bias or norm is zero or one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from golden.reference_models import TYPE_NUMBERS, dequantize, quantize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from golden.reference_models import Arrays

VOCABULARY = 320
CONTEXT = 256

BASE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "n_positions": CONTEXT,
    "n_embd": 96,
    "n_layer": 3,
    "n_head": 4,
    "n_inner": 192,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "initializer_range": 0.2,
    "layer_norm_epsilon": 1e-5,
    "attn_implementation": "eager",
}

VARIANTS: dict[str, dict[str, Any]] = {
    "tied": {},
    "own-output": {"tie_word_embeddings": False},
    "one-head": {"n_head": 1},
    "one-layer": {"n_layer": 1},
    # Rows of 256 elements and more, as the K types need them.
    "rows-of-256": {"n_embd": 256, "n_inner": 256, "n_layer": 2, "initializer_range": 0.12},
}


def build(variant: str, seed: int = 1) -> GPT2LMHeadModel:
    """A random model, the same for the same variant and seed."""
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(GPT2Config(**{**BASE, **VARIANTS[variant]}))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0.0, 0.2)
            elif ".ln_" in name:
                parameter.uniform_(0.7, 1.3)
    return model.eval().requires_grad_(requires_grad=False)


_NAMES = {
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "lm_head": "output",
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def _gguf_name(name: str) -> str:
    stem, kind = name.rsplit(".", 1)
    if layer := re.fullmatch(r"transformer\.h\.(\d+)\.(.*)", stem):
        return f"blk.{layer[1]}.{_NAMES[layer[2]]}.{kind}"
    return f"{_NAMES[stem]}.{kind}"


def _is_convolution(name: str) -> bool:
    """Whether transformers keeps a matrix with the inputs first: GGUF has the outputs first."""
    return name.endswith(".weight") and ("attn.c_" in name or "mlp.c_" in name)


def to_arrays(model: GPT2LMHeadModel) -> Arrays:
    """The parameters under their GGUF names, in GGUF's layout."""
    arrays = {}
    for name, parameter in model.named_parameters():  # a tied output is not listed twice
        array = parameter.detach().numpy().astype(np.float32)
        arrays[_gguf_name(name)] = np.ascontiguousarray(array.T) if _is_convolution(name) else array
    return arrays


def round_matrices(model: GPT2LMHeadModel, kind: str) -> None:
    """Give the model's matrices the values that they have as ``kind``; positions stay."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim != 2 or "wpe" in name:
                continue
            array = parameter.numpy()
            array = np.ascontiguousarray(array.T) if _is_convolution(name) else array
            rounded = dequantize(quantize(array, kind), kind, array.shape)
            rounded = rounded.T if _is_convolution(name) else rounded
            parameter.copy_(torch.from_numpy(rounded.copy()))


def round_positions(model: GPT2LMHeadModel, kind: str) -> None:
    """Likewise its positions alone."""
    with torch.no_grad():
        positions = model.transformer.wpe.weight
        array = positions.numpy()
        positions.copy_(
            torch.from_numpy(dequantize(quantize(array, kind), kind, array.shape).copy())
        )


@dataclass(frozen=True)
class Export:
    """How to write a model: what is not said comes from the model."""

    matrices: str = "f32"  # ggml type of all matrices but the positions
    positions: str = "f32"
    norm_epsilon: float | None = None
    change: Callable[[Arrays], None] | None = None  # edits the arrays before they are written


def export(model: GPT2LMHeadModel, path: Path, how: Export = Export()) -> Path:
    """Write the model as GGUF, with a vocabulary so that llama.cpp loads it too."""
    writer = gguf.GGUFWriter(path, "gpt2")
    _add_sizes(writer, model.config, how)
    _add_vocabulary(writer)
    arrays = to_arrays(model)
    if how.change is not None:
        how.change(arrays)
    for name, array in arrays.items():
        kind = _type_of(name, array, how)
        rows = np.frombuffer(quantize(array, kind), np.uint8).reshape(*array.shape[:-1], -1)
        writer.add_tensor(name, rows, raw_shape=rows.shape, raw_dtype=TYPE_NUMBERS[kind.lower()])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _type_of(name: str, array: NDArray[np.float32], how: Export) -> str:
    if array.ndim == 1:
        return "f32"
    return how.positions if name.startswith("position_embd") else how.matrices


def _add_sizes(writer: gguf.GGUFWriter, config: GPT2Config, how: Export) -> None:
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_feed_forward_length(config.n_inner)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(
        config.layer_norm_epsilon if how.norm_epsilon is None else how.norm_epsilon
    )


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = gguf.TokenType
    tokens = ["<|endoftext|>", *(f"w{index}" for index in range(1, VOCABULARY))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_merges(["w 1"])
    writer.add_token_types([kinds.CONTROL, *([kinds.NORMAL] * (VOCABULARY - 1))])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(value=False)
