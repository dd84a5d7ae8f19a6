"""Small random llama models, made with transformers and exported to GGUF.

The random weights spread the logits (initializer_range 0.08), and the parameters that transformers
starts at zero or one (biases, norms) are random too, so that leaving one out shows.
"""

from __future__ import annotations

import functools
import math
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llm_runner_router import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float32]]

VOCABULARY = 320
CONTEXT = 512

BASE: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 96,
    "intermediate_size": 192,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 24,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.08,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "tie_word_embeddings": False,
    "attn_implementation": "eager",
}

VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grouped": {"num_key_value_heads": 2},
    "one-kv-head": {"num_key_value_heads": 1},
    "tied": {"tie_word_embeddings": True},
    "biased": {"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 2},
    "wide-heads": {"head_dim": 40, "num_key_value_heads": 2},
    "one-layer": {"num_hidden_layers": 1},
    "llama3-scaling": {
        "num_key_value_heads": 2,
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "linear-scaling": {
        "rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
    },
    "yarn-scaling": {
        "rope_parameters": {
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": 128,
        }
    },
    # Rows of 256 elements and more, as the K types need them.
    "rows-of-256": {
        "hidden_size": 256,
        "intermediate_size": 256,
        "head_dim": 64,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
    },
}


def build(variant: str, seed: int = 1) -> LlamaForCausalLM:
    """A random model, the same for the same variant and seed."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(**{**BASE, **VARIANTS[variant]}))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0.0, 0.2)
            elif "norm" in name:
                parameter.uniform_(0.7, 1.3)
    return model.eval().requires_grad_(requires_grad=False)


@torch.inference_mode()
def logprobs(model: LlamaForCausalLM, tokens: list[int]) -> NDArray[np.float64]:
    """Of the next token at every position, ``[len(tokens), vocabulary]``."""
    logits = model(torch.tensor([tokens])).logits[0].double()
    return torch.log_softmax(logits, dim=-1).numpy()


# Names and layout: GGUF's llama architecture turns neighbouring elements of a head, transformers
# its two halves, so rows of queries and keys change places.

_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def _gguf_name(name: str) -> str:
    stem, kind = name.rsplit(".", 1)
    if layer := re.fullmatch(r"model\.layers\.(\d+)\.(.*)", stem):
        return f"blk.{layer[1]}.{_NAMES[layer[2]]}.{kind}"
    return f"{_NAMES[stem]}.{kind}"


def _interleave(array: NDArray[np.float32], head_dim: int) -> NDArray[np.float32]:
    heads = array.reshape(-1, 2, head_dim // 2, *array.shape[1:])
    return np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(array.shape)


def _halve(array: NDArray[np.float32], head_dim: int) -> NDArray[np.float32]:
    heads = array.reshape(-1, head_dim // 2, 2, *array.shape[1:])
    return np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(array.shape)


def _rotated(name: str) -> bool:
    return "attn_q." in name or "attn_k." in name


def to_arrays(model: LlamaForCausalLM) -> Arrays:
    """The parameters under their GGUF names, in GGUF's layout."""
    arrays = {}
    for name, parameter in model.named_parameters():  # a tied output is not listed twice
        array = parameter.detach().numpy().astype(np.float32)
        own = _gguf_name(name)
        arrays[own] = _interleave(array, model.config.head_dim) if _rotated(own) else array
    return arrays


def from_arrays(model: LlamaForCausalLM, arrays: Arrays) -> None:
    """Set the parameters from what ``to_arrays`` gave."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            own = _gguf_name(name)
            array = arrays[own]
            halved = _halve(array, model.config.head_dim) if _rotated(own) else array
            parameter.copy_(torch.from_numpy(halved.copy()))


def round_matrices(model: LlamaForCausalLM, kind: str) -> None:
    """Give the model's matrices the values that they have as ``kind``."""
    _round(model, kind, dimensions=2)


def round_vectors(model: LlamaForCausalLM, kind: str) -> None:
    """Likewise its vectors."""
    _round(model, kind, dimensions=1)


def _round(model: LlamaForCausalLM, kind: str, dimensions: int) -> None:
    arrays = to_arrays(model)
    for name, array in arrays.items():
        if array.ndim == dimensions:
            arrays[name] = dequantize(quantize(array, kind), kind, array.shape)
    from_arrays(model, arrays)


def quantize(array: NDArray[np.float32], kind: str) -> bytes:
    """A matrix as the bytes of a ggml type."""
    return _quantize(array.astype(np.float32).tobytes(), kind, array.shape[-1])


@functools.lru_cache(maxsize=64)  # a test needs each matrix twice
def _quantize(data: bytes, kind: str, columns: int) -> bytes:
    if kind in _SLOW_TYPES:
        return _random_blocks(kind, len(data) // 4, seed=zlib.crc32(data))
    return _core.testing.quantize(kind, data, columns)


# ggml takes up to ten seconds to set up its search for these. Any bits are a good block of them,
# and the reference computes with what the bits stand for: so they get random ones.
_SLOW_TYPES = ("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s")


def _random_blocks(kind: str, elements: int, seed: int) -> bytes:
    size, width = gguf.GGML_QUANT_SIZES[TYPE_NUMBERS[kind]]
    blocks = np.random.default_rng(seed).integers(0, 256, (elements // size, width), dtype=np.uint8)
    _set_scale(blocks, kind, 1.0)
    spread = dequantize(blocks.tobytes(), kind, (elements,)).std()
    _set_scale(blocks, kind, BASE["initializer_range"] / spread)
    return blocks.tobytes()


def _set_scale(blocks: NDArray[np.uint8], kind: str, scale: float) -> None:
    half = np.frombuffer(np.float16(scale).tobytes(), np.uint8)
    if kind != "iq1_m":  # the block begins with its scale
        blocks[:, :2] = half
        return
    nibbles = [half[0] & 15, half[0] >> 4, half[1] & 15, half[1] >> 4]
    for index, nibble in enumerate(nibbles):  # the upper bits of four 16-bit words at its end
        byte = blocks[:, 49 + 2 * index]
        byte[:] = (byte & 15) | (nibble << 4)


def dequantize(data: bytes, kind: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The matrix that these bytes stand for."""
    return np.frombuffer(_core.testing.dequantize(kind, data), np.float32).reshape(shape)


# Type numbers of GGUF, by ggml's name.
TYPE_NUMBERS = {kind.name.lower(): kind for kind in gguf.GGMLQuantizationType}


def rope_factors(config: LlamaConfig) -> NDArray[np.float32]:
    """Llama 3's divisor of each frequency."""
    rope = config.rope_parameters
    dims = config.head_dim
    frequencies = 1.0 / rope["rope_theta"] ** (np.arange(0, dims, 2) / dims)
    original = rope["original_max_position_embeddings"]
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    factors = []
    for wavelength in 2 * math.pi / frequencies:
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1.0 / ((1.0 - smooth) / factor + smooth))
    return np.array(factors, np.float32)


@dataclass(frozen=True)
class Export:
    """How to write a model: what is not said comes from the model."""

    matrices: str = "f32"  # ggml type of all matrices
    vectors: str = "f32"
    rope_theta: float | None = None
    norm_epsilon: float | None = None
    rope_scaling: bool = True
    rope_factors: bool = True
    alignment: int = 32
    change: Callable[[Arrays], None] | None = None  # edits the arrays before they are written


def export(model: LlamaForCausalLM, path: Path, how: Export = Export()) -> Path:
    """Write the model as GGUF, with a vocabulary so that llama.cpp loads it too."""
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    if how.alignment != 32:
        writer.add_custom_alignment(how.alignment)
    _add_sizes(writer, config, how)
    _add_rope(writer, config, how)
    _add_vocabulary(writer)
    arrays = to_arrays(model)
    if how.change is not None:
        how.change(arrays)
    for name, array in arrays.items():
        kind = how.matrices if array.ndim == 2 else how.vectors
        data = np.frombuffer(quantize(array, kind), np.uint8)
        rows = data.reshape(*array.shape[:-1], -1)
        writer.add_tensor(name, rows, raw_shape=rows.shape, raw_dtype=TYPE_NUMBERS[kind.lower()])
    if how.rope_factors and config.rope_parameters["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", rope_factors(config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_sizes(writer: gguf.GGUFWriter, config: LlamaConfig, how: Export) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    epsilon = config.rms_norm_eps if how.norm_epsilon is None else how.norm_epsilon
    writer.add_layer_norm_rms_eps(epsilon)
    writer.add_vocab_size(config.vocab_size)


def _add_rope(writer: gguf.GGUFWriter, config: LlamaConfig, how: Export) -> None:
    rope: Mapping[str, Any] = config.rope_parameters
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(rope["rope_theta"] if how.rope_theta is None else how.rope_theta)
    if not how.rope_scaling:
        return
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    kinds = gguf.TokenType
    # llama.cpp's server gives no log-probabilities with a token that is half a character.
    tokens = ["<unk>", "<s>", "</s>", "<0x0A>"]
    types = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, kinds.BYTE]
    while len(tokens) < VOCABULARY:
        tokens.append(f"w{len(tokens)}")
        types.append(kinds.NORMAL)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(value=False)
