"""Headers of models with holes in place of the weights: as large as wished, on no space."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np

from core import gguf_bytes as gb
from unit.vocabularies import byte_letters

F32, Q4_K, Q6_K = (gguf.GGMLQuantizationType[name].value for name in ("F32", "Q4_K", "Q6_K"))


def texts(key: str, values: list[str]) -> bytes:
    return gb.entry(
        key.encode(), gb.ARRAY, gb.array(gb.STRING, [gb.string(v.encode()) for v in values])
    )


def text(key: str, value: str) -> bytes:
    return gb.entry(key.encode(), gb.STRING, gb.string(value.encode()))


def number(key: str, value: int) -> bytes:
    return gb.entry(key.encode(), gb.U32, gb.scalar(gb.U32, value))


@dataclass(frozen=True)
class Shape:
    """Of a llama model; by default that of 70 billion parameters."""

    layers: int = 80
    width: int = 8192
    inner: int = 28672
    heads: int = 64
    kv_heads: int = 8
    vocabulary: int = 128_256
    merges: int = 280_147

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, ggml's order."""
        keys = self.width // self.heads * self.kv_heads
        layer = {
            "attn_norm": (self.width,),
            "attn_q": (self.width, self.width),
            "attn_k": (self.width, keys),
            "attn_v": (self.width, keys),
            "attn_output": (self.width, self.width),
            "ffn_norm": (self.width,),
            "ffn_gate": (self.width, self.inner),
            "ffn_up": (self.width, self.inner),
            "ffn_down": (self.inner, self.width),
        }
        return {
            "token_embd.weight": (self.width, self.vocabulary),
            "output_norm.weight": (self.width,),
            "output.weight": (self.width, self.vocabulary),
            **{
                f"blk.{index}.{name}.weight": shape
                for index in range(self.layers)
                for name, shape in layer.items()
            },
        }

    def keys(self) -> list[bytes]:
        """What the engine needs to know."""
        epsilon = gb.scalar(gb.F32, 1e-5)
        return [
            text("general.architecture", "llama"),
            number("llama.block_count", self.layers),
            number("llama.context_length", 8192),
            number("llama.embedding_length", self.width),
            number("llama.feed_forward_length", self.inner),
            number("llama.attention.head_count", self.heads),
            number("llama.attention.head_count_kv", self.kv_heads),
            gb.entry(b"llama.attention.layer_norm_rms_epsilon", gb.F32, epsilon),
        ]

    def vocabulary_keys(self) -> list[bytes]:
        """A byte-level vocabulary of that size."""
        letters = byte_letters()
        words = [f"Ġword{n}" for n in range(self.vocabulary - len(letters))]
        kinds = np.ones(self.vocabulary, np.int32).tobytes()
        kinds_payload = gb.array(gb.I32, [kinds], self.vocabulary)
        return [
            text("tokenizer.ggml.model", "gpt2"),
            text("tokenizer.ggml.pre", "llama-bpe"),
            texts("tokenizer.ggml.tokens", [*letters, *words]),
            gb.entry(b"tokenizer.ggml.token_type", gb.ARRAY, kinds_payload),
            texts("tokenizer.ggml.merges", [f"Ġ {n}" for n in range(self.merges)]),
            text("tokenizer.chat_template", "{{ messages[0].content }}"),
        ]


def small() -> Shape:
    return Shape(layers=2, width=256, inner=512, heads=4, kv_heads=2, vocabulary=300, merges=3)


def matrix_type(name: str) -> int:
    """As in Q4_K_M, roughly."""
    return Q6_K if name in {"output.weight", "token_embd.weight"} else Q4_K


@dataclass
class HeaderFile:
    """A file to be: change its keys and tensors, then write."""

    shape: Shape = field(default_factory=small)
    keys: list[bytes] = field(init=False)
    tensors: dict[str, tuple[int, ...]] = field(init=False)
    kind: Callable[[str], int] = matrix_type

    def __post_init__(self) -> None:
        self.keys = [*self.shape.keys(), *self.shape.vocabulary_keys()]
        self.tensors = self.shape.tensors()

    def without_keys(self, start: str) -> HeaderFile:
        """Take away what begins so."""
        self.keys = [key for key in self.keys if not key[8:].startswith(start.encode())]
        return self

    def write(self, path: Path) -> Path:
        """The header and a hole."""
        lines, end = [], 0
        for name, shape in self.tensors.items():
            kind = F32 if len(shape) == 1 else self.kind(name)
            lines.append(gb.tensor(name.encode(), shape, end, kind))
            end += nbytes(shape, kind) + 31 & ~31
        header = gb.GgufBytes(entries=self.keys, tensors=lines).build()
        path.write_bytes(header)
        os.truncate(path, len(header) + end)
        return path


def nbytes(shape: tuple[int, ...], kind: int) -> int:
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
    return int(np.prod(shape, dtype=object)) // block * size
