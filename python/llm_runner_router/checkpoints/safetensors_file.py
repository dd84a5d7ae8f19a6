"""One file of weights: a header in JSON, then the bytes of all tensors.

Format (github.com/huggingface/safetensors): 8 bytes, the length of the header; the header, ``{name:
{"dtype", "shape", "data_offsets": [begin, end]}}`` and ``__metadata__``; the data, without gaps.
It is read here rather than by its library, which maps the file into memory (a file that is cut
meanwhile would end the process) and has no way to give bfloat16 to numpy.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.text_file import json_object, opened

MAX_HEADER = 100_000_000
"""Bytes; what the format's own library takes."""

MAX_DIMENSIONS = 8
MAX_SHOWN = 200
ITEM_BYTES = {
    "F64": 8,
    "I64": 8,
    "U64": 8,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "F8_E8M0": 1,
}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor lies: ``offset`` is in bytes from the beginning of the file."""

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """What they take in the file."""
        return self.elements * ITEM_BYTES[self.dtype]


def read_header(path: Path) -> Mapping[str, StoredTensor]:
    """The tensors of a file by their names. ModelFileError for whatever is wrong in the header."""
    try:
        with opened(path) as file:
            found = os.fstat(file.fileno())
            start = file.read(8)
            if len(start) < 8:
                raise damaged(path.name, "has no header")
            (length,) = struct.unpack("<Q", start)
            if length > min(MAX_HEADER, found.st_size - 8):
                raise damaged(path.name, f"its header would have {length} bytes")
            header = json_object(path.name, file.read(length))
    except OSError as error:
        raise damaged(path.name, error.strerror or "cannot be read") from None
    return tensors_of(path, header, 8 + length, found.st_size)


def tensors_of(
    path: Path, header: Mapping[str, Any], start: int, size: int
) -> Mapping[str, StoredTensor]:
    """The tensors that a header names; they fill the file from ``start`` to ``size``, exactly."""
    tensors = [
        tensor_of(path, name, entry, start)
        for name, entry in header.items()
        if name != "__metadata__"
    ]
    expected = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.nbytes)):
        if tensor.offset != expected:
            raise damaged(path.name, f"tensor {tensor.name[:MAX_SHOWN]!r} lies over another")
        expected += tensor.nbytes
    if expected != size:
        raise damaged(path.name, f"has {size} bytes, its tensors end at {expected}")
    return {tensor.name: tensor for tensor in tensors}


def tensor_of(path: Path, name: str, entry: object, start: int) -> StoredTensor:
    """One entry of a header."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise damaged(path.name, f"tensor {name[:MAX_SHOWN]!r} is not described")
    if dtype not in ITEM_BYTES or not is_shape(shape):
        raise damaged(path.name, f"tensor {name[:MAX_SHOWN]!r} has a type or a shape of no kind")
    tensor = StoredTensor(name, path, dtype, tuple(shape), start + begin)
    if begin < 0 or end - begin != tensor.nbytes:
        raise damaged(path.name, f"tensor {name[:MAX_SHOWN]!r} has other offsets than its shape")
    return tensor


def is_shape(shape: Sequence[object]) -> bool:
    """Whether these are few whole numbers whose product fits into 63 bits."""
    counts = [count for count in shape if type(count) is int and 0 <= count < 1 << 48]
    return len(counts) == len(shape) <= MAX_DIMENSIONS and math.prod(counts) < 1 << 58


class TensorReader:
    """Reads pieces of stored tensors as float32; holds one file open at a time. Not thread-safe."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._descriptor = -1

    def floats(self, tensor: StoredTensor, first: int, count: int) -> np.ndarray[Any, Any]:
        """``count`` elements from ``first`` on, in F32, F16 or as F32 where it was BF16.

        ModelFileError where the file has become shorter.
        """
        width = ITEM_BYTES[tensor.dtype]
        raw = self._bytes(tensor, tensor.offset + first * width, count * width)
        match tensor.dtype:
            case "F32":
                return np.frombuffer(raw, "<f4")
            case "F16":
                return np.frombuffer(raw, "<f2")
            case "BF16":  # the upper half of a float32
                return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
            case _:
                raise damaged(tensor.name, f"is of type {tensor.dtype}; allowed: F32, F16, BF16")

    def close(self) -> None:
        """Give the file back. May be called more than once."""
        if self._path is not None:
            os.close(self._descriptor)
            self._path = None

    def _bytes(self, tensor: StoredTensor, offset: int, count: int) -> bytes:
        try:
            if self._path != tensor.file:
                self.close()
                flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
                self._descriptor = os.open(tensor.file, flags)
                self._path = tensor.file
            content = read_at(self._descriptor, offset, count)
        except OSError as error:
            raise damaged(tensor.file.name, error.strerror or "cannot be read") from None
        if len(content) != count:
            raise damaged(tensor.file.name, "has become shorter")
        return content


def read_at(descriptor: int, offset: int, count: int) -> bytes:
    """``count`` bytes of a file, fewer at its end: the system reads less than 2 GiB at once."""
    pieces = []
    while count > 0 and (piece := os.pread(descriptor, min(count, 1 << 30), offset)):
        pieces.append(piece)
        offset += len(piece)
        count -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
