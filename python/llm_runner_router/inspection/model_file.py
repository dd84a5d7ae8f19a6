"""Metadata, tensors, faults and memory of files, from the core. No weights are read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.inspection.report import MemoryNeed, MetadataLine, TensorLine
from llm_runner_router.inspection.shards import first_of
from llm_runner_router.providers.core_errors import load_error
from llm_runner_router.registry.records import BYTES_A_TOKEN

SHOWN_ELEMENTS = 16
"""Of an array of the metadata: a vocabulary has hundreds of thousands."""

NO_LIMIT = 1 << 48
"""Bytes of a KV cache that nothing limits: the most that the core takes."""


@dataclass(frozen=True, slots=True)
class FileContents:
    """What stands in the headers of a model's files."""

    paths: tuple[Path, ...]
    version: int
    nbytes: int
    metadata: tuple[MetadataLine, ...]
    tensors: tuple[TensorLine, ...]
    faults: tuple[str, ...]
    """Why the engine would refuse to load it, all of it."""


def read_model(path: Path) -> FileContents:
    """The headers of a file, or of the whole set that it is a part of. Raises RouterError."""
    with core_errors():
        files = open_set(path)
        return FileContents(
            paths=tuple(map(Path, files.paths)),
            version=files.version,
            nbytes=files.nbytes,
            metadata=tuple(map(metadata_line, files.metadata_items(SHOWN_ELEMENTS))),
            tensors=tuple(map(tensor_line, files.tensors)),
            faults=tuple(files.find_faults()),
        )


def open_set(path: Path) -> _core.GgufShards:
    """The set, whichever part ``path`` is."""
    try:
        return _core.GgufShards(path)
    except _core.CoreError as error:
        if error.reason != "GGUF_NOT_FIRST_SHARD":
            raise
    return _core.GgufShards(first_of(path))


def estimate_memory(path: Path, context_length: int, parallel: int, vocabulary: int) -> MemoryNeed:
    """What loading and running the model takes. Raises RouterError where it cannot be loaded.

    Args:
        path: the file, or the first of a set.
        context_length: tokens of prompt and answer; 0: as many as the model was made for.
        parallel: requests that run at once, each with a whole context.
        vocabulary: tokens of the vocabulary.
    """
    with core_errors():
        estimate = _core.estimate_memory(
            _core.EngineConfig(
                model_path=str(path),
                context_length=context_length,
                max_sequences=parallel,
                kv_bytes=NO_LIMIT,
            )
        )
    return MemoryNeed(
        context_length=estimate.context_length,
        parallel=parallel,
        weights=estimate.weights,
        kv=estimate.kv,
        compute=estimate.compute,
        vocabulary=vocabulary * BYTES_A_TOKEN,
    )


@contextmanager
def core_errors() -> Iterator[None]:
    """What the core raises inside the block comes out as a RouterError."""
    try:
        yield
    except _core.CoreError as error:
        raise load_error(error.code, error.reason, error.message) from None


def metadata_line(item: _core.MetadataItem) -> MetadataLine:
    """A key as it is told of."""
    return MetadataLine(item.key, item.type, item.value, item.length)


def tensor_line(tensor: _core.TensorInfo) -> TensorLine:
    """A tensor as it is told of."""
    shape = tensor.shape
    return TensorLine(tensor.name, tensor.type, shape, math.prod(shape), tensor.nbytes)
