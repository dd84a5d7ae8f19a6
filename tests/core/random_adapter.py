"""Random LoRA adapters as GGUF, and the model that one makes of another."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import gguf
import numpy as np

from core.random_model import TYPE_NUMBERS, Kind, Metadata
from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAPS = ("attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


class Model(Protocol):
    """What an adapter needs to know of a model."""

    architecture: str
    tensors: dict[str, NDArray[Any]]


@dataclass
class Parameters:
    """Of a model, by their names in GGUF."""

    architecture: str
    tensors: dict[str, NDArray[Any]]


Some = TypeVar("Some", bound=Model)


def maps_of(model: Model) -> list[str]:
    """The names of all that can be adapted."""
    layers = [name for name in model.tensors if name.endswith(tuple(f"{m}.weight" for m in MAPS))]
    return [*layers, *(name for name in model.tensors if name == "output.weight")]


@dataclass
class RandomAdapter(Generic[Some]):
    """An adapter of ``model`` that loads, until its metadata or its tensors are spoiled."""

    model: Some
    maps: list[str] | None = None  # all that there are
    rank: int = 4
    alpha: float | None = 8.0
    seed: int = 2
    matrices: str = "f32"
    metadata: Metadata = field(init=False)
    tensors: dict[str, NDArray[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = {
            "general.type": ("adapter", Kind.STRING),
            "adapter.type": ("lora", Kind.STRING),
        }
        if self.alpha is not None:
            self.metadata["adapter.lora.alpha"] = (self.alpha, Kind.FLOAT32)
        chance = np.random.default_rng(self.seed)
        self.tensors = {}
        for name in maps_of(self.model) if self.maps is None else self.maps:
            outputs, inputs = self.model.tensors[name].shape
            inner, outer = (self.rank, inputs), (outputs, self.rank)
            self.tensors[f"{name}.lora_a"] = chance.normal(0, 0.1, inner).astype(np.float32)
            self.tensors[f"{name}.lora_b"] = chance.normal(0, 0.1, outer).astype(np.float32)

    def merged_into(self, model: Some, scale: float = 1.0) -> Some:
        """A model whose weights are what the other's and this adapter come to."""
        merged = copy.deepcopy(model)
        factor = scale * (self.alpha / self.rank if self.alpha else 1.0)
        for name in {name.rsplit(".", 1)[0] for name in self.tensors}:
            inner, outer = self.tensors[f"{name}.lora_a"], self.tensors[f"{name}.lora_b"]
            merged.tensors[name] = merged.tensors[name] + np.float32(factor) * (outer @ inner)
        return merged

    def write(self, path: Path, architecture: str | None = None) -> Path:
        own = self.model.architecture if architecture is None else architecture
        with contextlib.closing(gguf.GGUFWriter(path, own)) as writer:
            for key, (value, kind) in self.metadata.items():
                writer.add_key_value(key, value, kind)
            for name, array in self.tensors.items():
                self._add(writer, name, array)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
        return path

    def _add(self, writer: gguf.GGUFWriter, name: str, array: NDArray[Any]) -> None:
        if array.dtype != np.float32 or self.matrices == "f32":
            writer.add_tensor(name, array)
            return
        data = _core.testing.quantize(self.matrices, array.tobytes(), array.shape[-1])
        rows = np.frombuffer(data, np.uint8).reshape(array.shape[0], -1)
        writer.add_tensor(name, rows, raw_shape=rows.shape, raw_dtype=TYPE_NUMBERS[self.matrices])
