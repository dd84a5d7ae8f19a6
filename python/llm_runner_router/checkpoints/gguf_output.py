"""A new GGUF file: it appears whole or not at all, and little of it is in memory at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.faults import damaged, unsupported
from llm_runner_router.checkpoints.layouts import PlannedTensor
from llm_runner_router.checkpoints.safetensors_file import TensorReader
from llm_runner_router.tokenizer.metadata import MetadataValue

if TYPE_CHECKING:
    from gguf import GGUFWriter

FILE_TYPES = {"F32": 0, "F16": 1}
"""Elements of matrices by their names, and their numbers in ``general.file_type``."""

Report = Callable[[str, int], None]
"""Is told the tensor that is worked on and the bytes that are written; may raise to end it."""


def write_gguf(
    target: Path,
    blueprint: Blueprint,
    tokenizer: Mapping[str, MetadataValue],
    element: str,
    report: Report,
) -> None:
    """Write ``target``; blocks. OSError, and ModelFileError where the checkpoint is damaged.

    It is written under another name beside it, of which nothing is left unless the process is
    killed: then the next one begins anew. What ``report`` raises ends the work.

    Args:
        target: the file; one that is there is replaced.
        blueprint: the network.
        tokenizer: the keys below ``tokenizer.``.
        element: F32 or F16, for matrices; vectors are always F32.
        report: see there.
    """
    partial = target.with_name(f"{target.name}.part")
    try:
        with opened(partial, blueprint.architecture) as writer:
            for key, value in all_metadata(blueprint, tokenizer, element).items():
                add_value(writer, key, value)
            write_tensors(writer, blueprint, element, report)
            sync(writer)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def all_metadata(
    blueprint: Blueprint, tokenizer: Mapping[str, MetadataValue], element: str
) -> dict[str, MetadataValue]:
    """The keys of the file; that of the architecture is the writer's own."""
    name = blueprint.architecture
    return {
        "general.type": "model",
        "general.file_type": FILE_TYPES[element],
        f"{name}.context_length": blueprint.context_length,
        **{f"{name}.{key}": value for key, value in blueprint.metadata.items()},
        **tokenizer,
    }


def output_bytes(blueprint: Blueprint, element: str) -> int:
    """Of the tensors of the new file, about what it takes."""
    return sum(tensor_bytes(tensor, element) for tensor in blueprint.tensors)


def tensor_bytes(tensor: PlannedTensor, element: str) -> int:
    """What a tensor takes."""
    return math.prod(tensor.shape) * element_type(tensor, element).itemsize


def element_type(tensor: PlannedTensor, element: str) -> np.dtype[Any]:
    """Of vectors F32, as llama.cpp has it: they are small, and what is added counts."""
    return np.dtype("<f2" if element == "F16" and len(tensor.shape) > 1 else "<f4")


@contextmanager
def opened(path: Path, architecture: str) -> Iterator[GGUFWriter]:
    """A writer whose file is closed in the end."""
    from gguf import GGUFWriter  # noqa: PLC0415 - takes long, and few services convert

    writer = GGUFWriter(path, architecture)
    try:
        yield writer
    finally:
        writer.close()


def add_value(writer: GGUFWriter, key: str, value: MetadataValue) -> None:
    """A key with the type that GGUF's readers expect: whole numbers are of 32 bits."""
    from gguf import GGUFValueType  # noqa: PLC0415 - see above

    match value:
        case bool():
            writer.add_bool(key, value)
        case int():
            writer.add_uint32(key, value)
        case float():
            writer.add_float32(key, value)
        case str():
            writer.add_key_value(key, value, GGUFValueType.STRING)
        case _:
            if not value:
                raise unsupported(key, "nothing", "at least one element")
            writer.add_array(key, value)


def write_tensors(writer: GGUFWriter, blueprint: Blueprint, element: str, report: Report) -> None:
    """All that stands in the file."""
    from gguf import GGMLQuantizationType  # noqa: PLC0415 - see above

    for tensor in blueprint.tensors:
        kind = element_type(tensor, element)
        raw = GGMLQuantizationType.F16 if kind.itemsize == 2 else GGMLQuantizationType.F32
        size = tensor_bytes(tensor, element)
        writer.add_tensor_info(tensor.name, tensor.shape, kind, size, raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    (file,) = writer.fout or []
    writer.write_padding(file, file.tell())
    reader = TensorReader()
    done = 0
    try:
        for tensor in blueprint.tensors:
            for piece in tensor.content.pieces(reader):
                report(tensor.name, done)
                done += file.write(converted(piece, element_type(tensor, element), tensor.name))
            writer.write_padding(file, tensor_bytes(tensor, element))
    finally:
        reader.close()


def converted(piece: np.ndarray[Any, Any], kind: np.dtype[Any], name: str) -> memoryview:
    """Numbers as the file has them. ModelFileError where they are none, or too large for F16."""
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(piece, kind)
    if not np.isfinite(result).all():
        if np.isfinite(piece).all():
            raise unsupported(f"tensor {name!r}", "numbers beyond F16", "quantization F32")
        raise damaged("weights", f"tensor {name!r} holds numbers that are not finite")
    return result.data.cast("B")


def sync(writer: GGUFWriter) -> None:
    """Have the bytes on the disk before they get their name."""
    for file in writer.fout or ():
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
