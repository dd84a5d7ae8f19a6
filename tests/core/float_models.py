"""GGUF files of floating-point weights to quantise, and reading what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np

from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROWS, COLUMNS = 24, 512
TYPES = {
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "Q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
    "Q4_1": gguf.LlamaFileType.MOSTLY_Q4_1,
    "Q5_0": gguf.LlamaFileType.MOSTLY_Q5_0,
    "Q5_1": gguf.LlamaFileType.MOSTLY_Q5_1,
    "Q2_K": gguf.LlamaFileType.MOSTLY_Q2_K,
    "Q3_K_S": gguf.LlamaFileType.MOSTLY_Q3_K_S,
    "Q3_K_M": gguf.LlamaFileType.MOSTLY_Q3_K_M,
    "Q3_K_L": gguf.LlamaFileType.MOSTLY_Q3_K_L,
    "Q4_K_S": gguf.LlamaFileType.MOSTLY_Q4_K_S,
    "Q4_K_M": gguf.LlamaFileType.MOSTLY_Q4_K_M,
    "Q5_K_S": gguf.LlamaFileType.MOSTLY_Q5_K_S,
    "Q5_K_M": gguf.LlamaFileType.MOSTLY_Q5_K_M,
    "Q6_K": gguf.LlamaFileType.MOSTLY_Q6_K,
}
"""Every type that a file can be made of, and its number in ``general.file_type``."""

PLAIN = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")
"""Types that the gguf package quantises to by itself."""


def go_on(tensor: str, fraction: float) -> bool:
    """The progress of a test that looks at none."""
    del tensor, fraction
    return True


def matrix(
    rows: int = ROWS, columns: int = COLUMNS, *, seed: int = 0, spread: float = 0.05
) -> NDArray[np.float32]:
    """Random weights, with an outlier here and there, as models have them."""
    chance = np.random.default_rng(seed)
    values = chance.normal(0.0, spread, (rows, columns)).astype(np.float32)
    values[chance.random(values.shape) < 0.001] *= 20
    return values


@dataclass
class FloatFile:
    """A file to be: tensors, as F32, F16 or (uint16 rows) BF16, and keys beside the name."""

    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)
    keys: list[tuple[str, Any, gguf.GGUFValueType]] = field(default_factory=list)

    def write(self, path: Path) -> Path:
        writer = gguf.GGUFWriter(path, "llama")
        for key, value, kind in self.keys:
            writer.add_key_value(key, value, kind)
        for name, array in self.tensors.items():
            bfloat = gguf.GGMLQuantizationType.BF16 if array.dtype == np.uint16 else None
            writer.add_tensor(name, array, raw_dtype=bfloat)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


def quantized(source: Path, kind: str, *, threads: int = 1) -> gguf.GGUFReader:
    """The file that ``source`` becomes, read by the gguf package."""
    target = source.with_suffix(f".{kind}.{threads}.gguf")
    _core.quantize(source, target, kind, go_on, threads)
    return gguf.GGUFReader(target)


def tensor_of(reader: gguf.GGUFReader, name: str) -> gguf.ReaderTensor:
    (found,) = [tensor for tensor in reader.tensors if tensor.name == name]
    return found


def types_of(reader: gguf.GGUFReader) -> dict[str, str]:
    """The type of each tensor by its name."""
    return {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}


def values_of(tensor: gguf.ReaderTensor) -> NDArray[np.float32]:
    """What a tensor stands for."""
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
