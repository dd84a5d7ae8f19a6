"""Random GPT-2 models."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.random_model import Kind, Metadata, RandomModel, Shapes, Sizes, layers_of


@dataclass
class RandomGpt2(RandomModel):
    """With all its biases, and the token embedding as its output matrix."""

    sizes: Sizes = field(default_factory=lambda: Sizes(kv_heads=4))
    architecture: str = "gpt2"

    @staticmethod
    def metadata_of(sizes: Sizes) -> Metadata:
        return {
            "block_count": (sizes.layers, Kind.UINT32),
            "embedding_length": (sizes.embedding, Kind.UINT32),
            "feed_forward_length": (sizes.feed_forward, Kind.UINT32),
            "context_length": (sizes.context, Kind.UINT32),
            "attention.head_count": (sizes.heads, Kind.UINT32),
            "attention.layer_norm_epsilon": (1e-5, Kind.FLOAT32),
        }

    @staticmethod
    def shapes_of(sizes: Sizes) -> Shapes:
        width, inner = sizes.embedding, sizes.feed_forward
        matrices = {
            "attn_qkv": (3 * width, width),
            "attn_output": (width, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }
        layer: Shapes = {f"{name}.weight": shape for name, shape in matrices.items()}
        layer |= {f"{name}.bias": (rows,) for name, (rows, _) in matrices.items()}
        for norm in ("attn_norm", "ffn_norm"):
            layer |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
        return {
            "token_embd.weight": (sizes.vocabulary, width),
            "position_embd.weight": (sizes.context, width),
            "output_norm.weight": (width,),
            "output_norm.bias": (width,),
            **layers_of(sizes, layer),
        }
