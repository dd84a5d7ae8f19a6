"""How a stored tensor becomes one of a GGUF file: piece by piece, in the order of the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from llm_runner_router.checkpoints.safetensors_file import StoredTensor, TensorReader

PIECE = 4 << 20
"""Elements that are in memory at once, about: 16 MiB as F32."""

Array = np.ndarray[Any, Any]


class Content(Protocol):
    """Where the numbers of a tensor come from."""

    def pieces(self, reader: TensorReader) -> Iterator[Array]:
        """All of them, in the order in which the new file has them, as F32 or F16."""
        ...


@dataclass(frozen=True, slots=True)
class AsStored:
    """Without a change."""

    tensor: StoredTensor

    def pieces(self, reader: TensorReader) -> Iterator[Array]:
        """See Content."""
        total = self.tensor.elements
        for first in range(0, total, PIECE):
            yield reader.floats(self.tensor, first, min(PIECE, total - first))


@dataclass(frozen=True, slots=True)
class Transposed:
    """A matrix that is stored by columns, as GPT-2's Conv1D has it."""

    tensor: StoredTensor

    def pieces(self, reader: TensorReader) -> Iterator[Array]:
        """See Content."""
        rows, columns = self.tensor.shape
        at_once = max(1, PIECE // rows)
        for first in range(0, columns, at_once):
            count = min(at_once, columns - first)
            block = [
                reader.floats(self.tensor, row * columns + first, count) for row in range(rows)
            ]
            yield np.stack(block, axis=1).reshape(-1)


@dataclass(frozen=True, slots=True)
class PairedHeads:
    """Rows of queries or keys: of each head, row j and row j + half come to lie side by side.

    Transformers rotates the two halves of a head against each other, GGUF neighbours.
    """

    tensor: StoredTensor
    heads: int

    def pieces(self, reader: TensorReader) -> Iterator[Array]:
        """See Content."""
        width = math.prod(self.tensor.shape[1:])
        rows = self.tensor.shape[0] // self.heads
        for head in range(self.heads):
            block = reader.floats(self.tensor, head * rows * width, rows * width)
            yield block.reshape(2, rows // 2, width).swapaxes(0, 1).reshape(-1)


@dataclass(frozen=True, slots=True)
class Computed:
    """Numbers that no file has."""

    values: Array

    def pieces(self, reader: TensorReader) -> Iterator[Array]:
        """See Content."""
        del reader
        yield self.values


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """A tensor of the new file; ``shape`` has the rows first."""

    name: str
    shape: tuple[int, ...]
    content: Content
