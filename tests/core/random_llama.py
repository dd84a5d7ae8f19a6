"""Random llama models as GGUF, written with numpy alone; their parts may be changed first."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Kind = gguf.GGUFValueType
TYPE_NUMBERS = {kind.name.lower(): kind for kind in gguf.GGMLQuantizationType}


@dataclass(frozen=True)
class Sizes:
    """What shapes a model."""

    layers: int = 2
    embedding: int = 32
    feed_forward: int = 48
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 8
    vocabulary: int = 40
    context: int = 128


def metadata_of(sizes: Sizes) -> dict[str, tuple[Any, gguf.GGUFValueType]]:
    """What stands below "llama."."""
    return {
        "block_count": (sizes.layers, Kind.UINT32),
        "embedding_length": (sizes.embedding, Kind.UINT32),
        "feed_forward_length": (sizes.feed_forward, Kind.UINT32),
        "context_length": (sizes.context, Kind.UINT32),
        "attention.head_count": (sizes.heads, Kind.UINT32),
        "attention.head_count_kv": (sizes.kv_heads, Kind.UINT32),
        "attention.layer_norm_rms_epsilon": (1e-5, Kind.FLOAT32),
    }


def shapes_of(sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Every tensor's shape, as numpy counts."""
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
        **{
            f"blk.{index}.{name}.weight": shape
            for index in range(sizes.layers)
            for name, shape in layer.items()
        },
    }


def _tensors(sizes: Sizes) -> dict[str, NDArray[Any]]:
    chance = np.random.default_rng(1)
    return {
        name: chance.normal(1.0 if len(shape) == 1 else 0.0, 0.1, shape).astype(np.float32)
        for name, shape in shapes_of(sizes).items()
    }


@dataclass
class RandomLlama:
    """A model that loads, until its metadata (below "llama.") or its tensors are spoiled."""

    sizes: Sizes = field(default_factory=Sizes)
    architecture: str = "llama"
    matrices: str = "f32"  # ggml type of the F32 matrices
    alignment: int = gguf.GGUF_DEFAULT_ALIGNMENT  # of tensors in the file, in bytes
    metadata: dict[str, tuple[Any, gguf.GGUFValueType]] = field(init=False)
    tensors: dict[str, NDArray[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = metadata_of(self.sizes)
        self.tensors = _tensors(self.sizes)

    def write(self, path: Path, **options: Any) -> Path:
        """The options are the writer's: with ``split_max_tensors``, shards of that many."""
        with contextlib.closing(gguf.GGUFWriter(path, self.architecture, **options)) as writer:
            if self.alignment != gguf.GGUF_DEFAULT_ALIGNMENT:
                writer.add_custom_alignment(self.alignment)
            for key, (value, kind) in self.metadata.items():
                element = Kind.UINT32 if kind == Kind.ARRAY else None
                writer.add_key_value(f"{self.architecture}.{key}", value, kind, sub_type=element)
            for name, array in self.tensors.items():
                self._add(writer, name, array)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        return path

    def _add(self, writer: gguf.GGUFWriter, name: str, array: NDArray[Any]) -> None:
        if array.ndim == 1 or array.dtype != np.float32 or self.matrices == "f32":
            writer.add_tensor(name, array)
            return
        data = _core.testing.quantize(self.matrices, array.tobytes(), array.shape[-1])
        rows = np.frombuffer(data, np.uint8).reshape(array.shape[0], -1)
        number = TYPE_NUMBERS[self.matrices.lower()]
        writer.add_tensor(name, rows, raw_shape=rows.shape, raw_dtype=number)
