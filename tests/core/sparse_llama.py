"""Llama models of any size whose weights are all zero: files with a real header and holes behind.

They take no space and no time to write, and reading their pages costs memory like that of any file.
"""

from __future__ import annotations

import contextlib
import math
import os
from typing import TYPE_CHECKING

import gguf

from core.random_llama import RandomLlama
from core.random_model import TYPE_NUMBERS, Sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ALIGNMENT = gguf.GGUF_DEFAULT_ALIGNMENT


def nbytes(shape: Sequence[int], kind: str) -> int:
    """Of a tensor of a ggml type."""
    block, size = gguf.GGML_QUANT_SIZES[TYPE_NUMBERS[kind.lower()]]
    return math.prod(shape) // block * size


def padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def write(
    path: Path, sizes: Sizes, matrices: Callable[[str], str], tokens: Sequence[str] = ()
) -> Path:
    """A model with the types that `matrices` says by name; vectors are F32."""
    tensors = {
        name: (shape, "f32" if len(shape) == 1 else matrices(name))
        for name, shape in RandomLlama.shapes_of(sizes).items()
    }
    with contextlib.closing(gguf.GGUFWriter(path, "llama")) as writer:
        for key, (value, kind) in RandomLlama.metadata_of(sizes).items():
            writer.add_key_value(f"llama.{key}", value, kind)
        writer.add_key_length(sizes.head_dim)
        if tokens:
            writer.add_token_list(tokens)
        for name, (shape, kind) in tensors.items():
            number = TYPE_NUMBERS[kind.lower()]
            writer.add_tensor_info(name, shape, object, nbytes(shape, kind), raw_dtype=number)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    data = sum(padded(nbytes(shape, kind)) for shape, kind in tensors.values())
    os.truncate(path, padded(path.stat().st_size) + data)
    return path
