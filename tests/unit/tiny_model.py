"""A llama model of random weights in a GGUF file of a few hundred kilobytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from unit.vocabularies import bpe

WIDTH, HEADS, LAYERS, FEED_FORWARD, CONTEXT = 64, 4, 2, 128, 256
TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|im_end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


def write(
    path: Path,
    *,
    seed: int = 1,
    scale: float = 1.0,
    context: int = CONTEXT,
    shard_tensors: int = 0,
    **vocabulary: Any,
) -> Path:
    """Write the model, its output weights times ``scale``; its answers say nothing.

    With ``shard_tensors`` it becomes a set of files with so many tensors each.
    """
    values = bpe(**vocabulary)
    writer = gguf.GGUFWriter(path, "llama", split_max_tensors=shard_tensors)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(values["tokenizer.ggml.model"])
    writer.add_tokenizer_pre(values["tokenizer.ggml.pre"])
    writer.add_token_list(values["tokenizer.ggml.tokens"])
    writer.add_token_types(values["tokenizer.ggml.token_type"])
    writer.add_token_merges(values["tokenizer.ggml.merges"])
    writer.add_chat_template(TEMPLATE)
    for name, array in weights(len(values["tokenizer.ggml.tokens"]), seed).items():
        writer.add_tensor(name, array * np.float32(scale) if name == "output.weight" else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def weights(vocabulary: int, seed: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Random tensors under their GGUF names."""
    random = np.random.default_rng(seed)
    shapes = {"token_embd": (vocabulary, WIDTH), "output": (vocabulary, WIDTH)}
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            shapes[f"blk.{layer}.{name}"] = (WIDTH, WIDTH)
        shapes[f"blk.{layer}.ffn_gate"] = (FEED_FORWARD, WIDTH)
        shapes[f"blk.{layer}.ffn_up"] = (FEED_FORWARD, WIDTH)
        shapes[f"blk.{layer}.ffn_down"] = (WIDTH, FEED_FORWARD)
    arrays = {f"{name}.weight": random.normal(0, 0.1, shape) for name, shape in shapes.items()}
    norms = ["output_norm", *(f"blk.{n}.{k}_norm" for n in range(LAYERS) for k in ("attn", "ffn"))]
    arrays |= {f"{name}.weight": np.ones(WIDTH) for name in norms}
    return {name: array.astype(np.float32) for name, array in arrays.items()}
