"""A report on a model's file, for people and for programs.

Everything in it may be hostile: it reaches the terminal as the repr of Python or as JSON, whose
escapes no terminal obeys, or through ``cell``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from llm_runner_router.cli.output import cell, out, say, show_facts, show_whole
from llm_runner_router.cli.sizes import bytes_text, count_text, exact_text
from llm_runner_router.errors import shorten
from llm_runner_router.inspection.report import (
    MemoryNeed,
    MetadataLine,
    ModelReport,
    TensorLine,
    TypeGroup,
)

MOST_TEXT = 100
MOST_ELEMENTS = 4
MOST_FAULTS = 20


def print_report(report: ModelReport) -> None:
    """The report but for single tensors."""
    show_facts(facts(report))
    out.print()
    show_whole(groups_table(report.groups))
    out.print()
    show_whole(metadata_table(report.metadata))
    out.print()
    print_faults(report.unsupported)


def print_faults(faults: Sequence[str]) -> None:
    """What is unsupported, at most a screen of it."""
    if not faults:
        say("nothing is unsupported")
        return
    say("unsupported:")
    for fault in faults[:MOST_FAULTS]:
        say(f"  {fault}")
    if len(faults) > MOST_FAULTS:
        say(f"  … and {len(faults) - MOST_FAULTS} more; --json shows all")


def facts(report: ModelReport) -> dict[str, object]:
    """What there is to know of the whole."""
    bits = report.bits_per_weight
    return {
        "file": "\n".join(map(path_text, report.paths)),
        "name": shorten(report.name, MOST_TEXT) if report.name else "",
        "size": f"{bytes_text(report.file_bytes)} ({exact_text(report.file_bytes)} bytes)",
        "format": f"GGUF version {report.version}",
        "architecture": shorten(report.architecture, MOST_TEXT) if report.architecture else "",
        "parameters": f"{count_text(report.parameters)} ({exact_text(report.parameters)})",
        "bits_per_weight": "" if bits is None else f"{bits:.2f}",
        "context_length": report.context_length,
        "vocabulary_size": report.vocabulary_size,
        "chat_template": "yes" if report.has_chat_template else "no",
        **memory_facts(report.memory),
    }


def path_text(path: Path) -> str:
    """A path in one line, whatever it is named."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))


def memory_facts(memory: MemoryNeed | None) -> dict[str, object]:
    """What the model takes, as a whole and part by part."""
    if memory is None:
        return {"memory": "unknown"}
    requests = "1 request" if memory.parallel == 1 else f"{memory.parallel} requests at once"
    return {
        "memory": f"{bytes_text(memory.total)} for {requests} of {memory.context_length} tokens",
        "of_it_weights": bytes_text(memory.weights),
        "of_it_KV_cache": bytes_text(memory.kv),
        "of_it_computing": bytes_text(memory.compute),
        "of_it_vocabulary": bytes_text(memory.vocabulary),
    }


def groups_table(groups: Sequence[TypeGroup]) -> Table:
    """A line a type of tensor."""
    table = right_aligned("type", "tensors", "elements", "bytes", "size")
    for group in groups:
        numbers = map(exact_text, (group.tensors, group.elements, group.nbytes))
        table.add_row(group.type, *numbers, bytes_text(group.nbytes))
    return table


def tensors_table(tensors: Sequence[TensorLine]) -> Table:
    """A line a tensor, in the order of the file."""
    table = right_aligned("tensor", "type", "shape", "bytes")
    for tensor in tensors:
        shape = " x ".join(map(str, tensor.shape))
        table.add_row(cell(tensor.name), tensor.type, shape, exact_text(tensor.nbytes))
    return table


def right_aligned(first: str, *others: str) -> Table:
    """A table without lines, whose columns but the first hold numbers."""
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for header in others:
        table.add_column(header, justify="right")
    return table


def metadata_table(metadata: Sequence[MetadataLine]) -> Table:
    """A line a key, long values shortened."""
    table = Table("key", "type", "value", box=None, pad_edge=False)
    for line in metadata:
        table.add_row(cell(line.key), line.type, cell(value_text(line)))
    return table


def value_text(line: MetadataLine) -> str:
    """A value in one line; of an array the first elements and the length."""
    if line.length is None or isinstance(line.value, str) or not isinstance(line.value, Sequence):
        return shorten(line.value, MOST_TEXT)
    first = ", ".join(shorten(value, MOST_TEXT // 4) for value in line.value[:MOST_ELEMENTS])
    more = ", …" if line.length > MOST_ELEMENTS else ""
    return f"[{first}{more}] ({exact_text(line.length)})"


def as_json(report: ModelReport) -> dict[str, object]:
    """Everything, as JSON can say it. Of arrays the first elements stand beside the length."""
    return {
        "paths": [str(path) for path in report.paths],
        "version": report.version,
        "file_bytes": report.file_bytes,
        "name": report.name,
        "architecture": report.architecture,
        "parameters": report.parameters,
        "tensor_bytes": report.tensor_bytes,
        "bits_per_weight": report.bits_per_weight,
        "context_length": report.context_length,
        "vocabulary_size": report.vocabulary_size,
        "chat_template": report.has_chat_template,
        "memory": memory_json(report.memory),
        "unsupported": list(report.unsupported),
        "types": [dataclasses.asdict(group) for group in report.groups],
        "metadata": [line_json(line) for line in report.metadata],
        "tensors": [dataclasses.asdict(tensor) for tensor in report.tensors],
    }


def memory_json(memory: MemoryNeed | None) -> dict[str, int] | None:
    """The parts and their sum."""
    return None if memory is None else {**dataclasses.asdict(memory), "total": memory.total}


def line_json(line: MetadataLine) -> dict[str, object]:
    """A key, with all of a scalar."""
    if isinstance(line.value, str) or not isinstance(line.value, Sequence):
        return {"key": line.key, "type": line.type, "value": finite(line.value)}
    first = [finite(value) for value in line.value]
    return {"key": line.key, "type": line.type, "length": line.length, "first": first}


def finite(value: object) -> object:
    """JSON has no words for NaN and the infinities: they become texts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
