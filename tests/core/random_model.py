"""Random models as GGUF, written with numpy alone; their parts may be changed first."""

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
Metadata = dict[str, tuple[Any, gguf.GGUFValueType]]
Shapes = dict[str, tuple[int, ...]]
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


def layers_of(sizes: Sizes, layer: Shapes) -> Shapes:
    """The tensors of all layers, from those of one by their names behind its number."""
    return {
        f"blk.{index}.{name}": shape
        for index in range(sizes.layers)
        for name, shape in layer.items()
    }


@dataclass
class RandomModel:
    """A model that loads, until its metadata (below its architecture) or tensors are spoiled."""

    sizes: Sizes = field(default_factory=Sizes)
    architecture: str = ""
    matrices: str = "f32"  # ggml type of the F32 matrices
    alignment: int = gguf.GGUF_DEFAULT_ALIGNMENT  # of tensors in the file, in bytes
    metadata: Metadata = field(init=False)
    tensors: dict[str, NDArray[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = self.metadata_of(self.sizes)
        chance = np.random.default_rng(1)
        self.tensors = {
            name: chance.normal(float("norm.weight" in name), 0.1, shape).astype(np.float32)
            for name, shape in self.shapes_of(self.sizes).items()
        }

    @staticmethod
    def metadata_of(sizes: Sizes) -> Metadata:
        """What stands below the architecture's name."""
        raise NotImplementedError

    @staticmethod
    def shapes_of(sizes: Sizes) -> Shapes:
        """Every tensor's shape, as numpy counts."""
        raise NotImplementedError

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

    def _stays(self, name: str) -> bool:
        return self.matrices == "f32" or name == "position_embd.weight"

    def _add(self, writer: gguf.GGUFWriter, name: str, array: NDArray[Any]) -> None:
        if array.ndim == 1 or array.dtype != np.float32 or self._stays(name):
            writer.add_tensor(name, array)
            return
        data = _core.testing.quantize(self.matrices, array.tobytes(), array.shape[-1])
        rows = np.frombuffer(data, np.uint8).reshape(array.shape[0], -1)
        number = TYPE_NUMBERS[self.matrices.lower()]
        writer.add_tensor(name, rows, raw_shape=rows.shape, raw_dtype=number)
