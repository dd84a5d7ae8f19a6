"""What is told of a model's file. Plain values: whoever prints them escapes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

MetadataValue: TypeAlias = "str | int | float | bool | Sequence[str | int | float | bool]"


@dataclass(frozen=True, slots=True)
class MetadataLine:
    """A key of the file. Of an array, ``value`` holds the first elements only."""

    key: str
    type: str
    """``u32``, ``str``, ``array of str`` and so on."""
    value: MetadataValue
    length: int | None = None
    """Elements of an array; ``None``: it is none."""


@dataclass(frozen=True, slots=True)
class TensorLine:
    """A tensor; the first dimension of its shape is contiguous."""

    name: str
    type: str
    shape: tuple[int, ...]
    elements: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class TypeGroup:
    """All tensors of one type together."""

    type: str
    tensors: int
    elements: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that the engine takes for a context and so many requests at once."""

    context_length: int
    parallel: int
    weights: int
    kv: int
    compute: int
    vocabulary: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute + self.vocabulary


@dataclass(frozen=True, slots=True)
class ModelReport:
    """A model in one file, or in the parts of a sharded set."""

    paths: tuple[Path, ...]
    version: int
    file_bytes: int
    """Of all files together, as are the tensors."""
    metadata: tuple[MetadataLine, ...]
    """In the order of the file: of the first, where there are several."""
    tensors: tuple[TensorLine, ...]
    architecture: str
    """Empty where the file does not say."""
    name: str
    context_length: int | None
    vocabulary_size: int | None
    has_chat_template: bool
    memory: MemoryNeed | None
    """``None``: it cannot be told, for a reason that is among ``unsupported``."""
    unsupported: tuple[str, ...]
    """Each thing that keeps the engine from running the model, in words. Empty: nothing does."""

    @property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def tensor_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def bits_per_weight(self) -> float | None:
        """On average; ``None`` where there are no weights."""
        return 8 * self.tensor_bytes / self.parameters if self.parameters else None

    @property
    def groups(self) -> tuple[TypeGroup, ...]:
        """The tensors by type, those that take most first."""
        return grouped(self.tensors)


def grouped(tensors: Sequence[TensorLine]) -> tuple[TypeGroup, ...]:
    """Tensors by type, those that take most first."""
    kinds: dict[str, list[TensorLine]] = {}
    for tensor in tensors:
        kinds.setdefault(tensor.type, []).append(tensor)
    groups = [
        TypeGroup(kind, len(own), sum(one.elements for one in own), sum(one.nbytes for one in own))
        for kind, own in kinds.items()
    ]
    return tuple(sorted(groups, key=lambda group: (-group.nbytes, group.type)))
