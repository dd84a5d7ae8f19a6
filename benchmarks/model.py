"""A llama of random weights in a GGUF file: the same for the same sizes and seed.

Speed depends on shapes and types, not on what the weights say. The types are mixed as in files
called Q4_K_M: most matrices Q4_K; the embedding, and half of what is most sensitive, Q6_K.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gguf
import numpy as np

from llm_runner_router import _core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTROL_TOKENS = 3
TYPES_IN_WORDS = "mixed as in Q4_K_M: most matrices Q4_K; the embedding and some others Q6_K"
TYPES = {kind.name.lower(): kind for kind in gguf.GGMLQuantizationType}


@dataclass(frozen=True)
class Sizes:
    """The shape of a llama. Widths are multiples of 256, as the K types need them."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    context: int = 1024

    def matrices(self) -> Iterator[tuple[str, str, int, int]]:
        """Name, type, rows and columns of each; the output is the embedding."""
        kv_width = self.width // self.heads * self.kv_heads
        yield "token_embd", "q6_K", self.vocabulary, self.width
        for layer in range(self.layers):
            sensitive = "q6_K" if self._more_bits(layer) else "q4_K"
            for name, kind, rows, columns in (
                ("attn_q", "q4_K", self.width, self.width),
                ("attn_k", "q4_K", kv_width, self.width),
                ("attn_v", sensitive, kv_width, self.width),
                ("attn_output", "q4_K", self.width, self.width),
                ("ffn_gate", "q4_K", self.feed_forward, self.width),
                ("ffn_up", "q4_K", self.feed_forward, self.width),
                ("ffn_down", sensitive, self.width, self.feed_forward),
            ):
                yield f"blk.{layer}.{name}", kind, rows, columns

    def norms(self) -> Iterator[str]:
        """Names of the vectors, all of the model's width."""
        yield "output_norm"
        for layer in range(self.layers):
            yield f"blk.{layer}.attn_norm"
            yield f"blk.{layer}.ffn_norm"

    @property
    def parameters(self) -> int:
        """Elements of all matrices."""
        return sum(rows * columns for _, _, rows, columns in self.matrices())

    def _more_bits(self, layer: int) -> bool:
        """The first and last eighth of the layers, and every third between."""
        eighth = self.layers // 8
        return layer < eighth or layer >= self.layers - eighth or (layer - eighth) % 3 == 2


BENCH = Sizes(
    width=1024, layers=10, heads=16, kv_heads=8, feed_forward=2816, vocabulary=32_000, context=4096
)
TINY = Sizes(width=256, layers=2, heads=4, kv_heads=2, feed_forward=256, vocabulary=320)


def path_of(folder: Path, sizes: Sizes, seed: int) -> Path:
    """The model's file, written where it is not there yet."""
    millions = round(sizes.parameters / 1e6)
    shape = f"{sizes.width}x{sizes.layers}-{sizes.feed_forward}-{sizes.vocabulary}-{sizes.context}"
    path = folder / f"llama-{millions}m-{shape}-seed{seed}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        write(unfinished, sizes, seed)
        unfinished.replace(path)
    return path


def write(path: Path, sizes: Sizes, seed: int) -> None:
    """Write the model; 150 million parameters take most of a minute."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=True)
    _add_sizes(writer, sizes)
    _add_vocabulary(writer, sizes.vocabulary)
    for name, kind, rows, columns in sizes.matrices():
        values = random.standard_normal((rows, columns), np.float32) / np.float32(columns**0.5)
        data = np.frombuffer(_core.testing.quantize(kind, values.tobytes(), columns), np.uint8)
        writer.add_tensor(f"{name}.weight", data.reshape(rows, -1), raw_dtype=TYPES[kind.lower()])
    for name in sizes.norms():
        writer.add_tensor(f"{name}.weight", np.ones(sizes.width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_sizes(writer: gguf.GGUFWriter, sizes: Sizes) -> None:
    writer.add_context_length(sizes.context)
    writer.add_embedding_length(sizes.width)
    writer.add_block_count(sizes.layers)
    writer.add_feed_forward_length(sizes.feed_forward)
    writer.add_head_count(sizes.heads)
    writer.add_head_count_kv(sizes.kv_heads)
    writer.add_rope_dimension_count(sizes.width // sizes.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(sizes.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    """Whole characters only, so that every token is text at once in either engine."""
    kinds = gguf.TokenType
    control = ["<unk>", "<s>", "</s>"]
    words = vocabulary - CONTROL_TOKENS
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*control, "<0x0A>", *(f"w{number}" for number in range(words - 1))])
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_token_types(
        [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, kinds.BYTE, *[kinds.NORMAL] * (words - 1)]
    )
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(value=False)
