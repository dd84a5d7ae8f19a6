"""What a checkpoint will be as GGUF, before anything of it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llm_runner_router.checkpoints.faults import damaged, unsupported
from llm_runner_router.checkpoints.file_names import SINGLE
from llm_runner_router.checkpoints.layouts import PlannedTensor
from llm_runner_router.checkpoints.safetensors_file import StoredTensor
from llm_runner_router.tokenizer.metadata import MetadataValue

MAX_LAYERS = 4096


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The network. ``vocabulary`` is how many tokens its embedding has.

    ``notes`` say in words what is otherwise than in Transformers.
    """

    architecture: str
    context_length: int
    vocabulary: int
    metadata: Mapping[str, MetadataValue]
    tensors: Sequence[PlannedTensor]
    notes: Sequence[str] = ()


class Store:
    """The stored tensors, each to be taken once with the shape that the configuration implies."""

    def __init__(self, tensors: Mapping[str, StoredTensor], prefix: str) -> None:
        self._tensors = dict(tensors)
        self._prefix = prefix

    def take(self, name: str, *shape: int) -> StoredTensor:
        """A tensor that has to be there. ModelFileError where it is not, or is of another shape."""
        found = self._tensors.pop(self._prefix + name, None)
        if found is None:
            raise damaged(SINGLE, f"tensor {self._prefix + name!r} is missing")
        if found.shape != shape:
            message = f"tensor {found.name[:200]!r} is of shape {found.shape}, not {shape}"
            raise damaged(found.file.name, message)
        if found.dtype not in ("F32", "F16", "BF16"):
            raise unsupported(f"tensor {found.name[:200]!r}", found.dtype, "F32, F16, BF16")
        return found

    def without_prefix(self) -> Store:
        """The same tensors by their whole names."""
        return Store(self._tensors, "")

    def drop(self, endings: Sequence[str]) -> None:
        """Forget tensors that are no weights."""
        for name in [name for name in self._tensors if name.endswith(tuple(endings))]:
            del self._tensors[name]

    def check_empty(self, besides: Iterable[str] = ()) -> None:
        """UnsupportedError where a tensor is left that the network does not have."""
        left = sorted(self._tensors.keys() - set(besides))
        if left:
            allowed = "the tensors of the architecture alone"
            raise unsupported("tensor", left[0], allowed)
