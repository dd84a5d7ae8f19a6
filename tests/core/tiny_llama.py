"""A small random llama model as GGUF, written with numpy alone: quick to make and to run."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

VOCABULARY = 96
CONTEXT = 1024
WIDTH, HEADS, KV_HEADS, FEED_FORWARD, LAYERS = 32, 4, 2, 64, 2
HEAD = WIDTH // HEADS


def write(path: Path, *, context: int = CONTEXT, nan_token: int | None = None) -> Path:
    """The same model for the same arguments; `nan_token` gets an embedding that is no number."""
    chance = np.random.default_rng(3)

    def matrix(rows: int, columns: int, spread: float = 0.3) -> np.ndarray:
        return chance.normal(0.0, spread, (rows, columns)).astype(np.float32)

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)
    embedding = matrix(VOCABULARY, WIDTH, 1.0)
    if nan_token is not None:
        embedding[nan_token] = np.nan
    ones = np.ones(WIDTH, np.float32)
    tensors = {"token_embd": embedding, "output_norm": ones, "output": matrix(VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        tensors |= {
            f"blk.{layer}.{name}": value
            for name, value in {
                "attn_norm": ones,
                "attn_q": matrix(WIDTH, WIDTH),
                "attn_k": matrix(KV_HEADS * HEAD, WIDTH),
                "attn_v": matrix(KV_HEADS * HEAD, WIDTH),
                "attn_output": matrix(WIDTH, WIDTH),
                "ffn_norm": ones,
                "ffn_gate": matrix(FEED_FORWARD, WIDTH),
                "ffn_up": matrix(FEED_FORWARD, WIDTH),
                "ffn_down": matrix(WIDTH, FEED_FORWARD),
            }.items()
        }
    for name, value in tensors.items():
        writer.add_tensor(f"{name}.weight", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
