"""Random llama models."""

from __future__ import annotations

from dataclasses import dataclass

from core.random_model import Kind, Metadata, RandomModel, Shapes, Sizes, layers_of


@dataclass
class RandomLlama(RandomModel):
    """Without biases, and with an output matrix of its own."""

    architecture: str = "llama"

    @staticmethod
    def metadata_of(sizes: Sizes) -> Metadata:
        return {
            "block_count": (sizes.layers, Kind.UINT32),
            "embedding_length": (sizes.embedding, Kind.UINT32),
            "feed_forward_length": (sizes.feed_forward, Kind.UINT32),
            "context_length": (sizes.context, Kind.UINT32),
            "attention.head_count": (sizes.heads, Kind.UINT32),
            "attention.head_count_kv": (sizes.kv_heads, Kind.UINT32),
            "attention.layer_norm_rms_epsilon": (1e-5, Kind.FLOAT32),
        }

    @staticmethod
    def shapes_of(sizes: Sizes) -> Shapes:
        width, inner = sizes.embedding, sizes.feed_forward
        queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
        layer = {
            "attn_norm": (width,),
            "attn_q": (queries, width),
            "attn_k": (keys, width),
            "attn_v": (keys, width),
            "attn_output": (width, queries),
            "ffn_norm": (width,),
            "ffn_gate": (inner, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }
        return {
            "token_embd.weight": (sizes.vocabulary, width),
            "output_norm.weight": (width,),
            "output.weight": (sizes.vocabulary, width),
            **layers_of(sizes, {f"{name}.weight": shape for name, shape in layer.items()}),
        }
