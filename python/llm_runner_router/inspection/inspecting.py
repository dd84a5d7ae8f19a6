"""From a path to the report on the model that lies there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.errors import RouterError
from llm_runner_router.inspection import model_file
from llm_runner_router.inspection.faults import TEMPLATE_KEY, text_faults
from llm_runner_router.inspection.report import (
    MemoryNeed,
    MetadataLine,
    MetadataValue,
    ModelReport,
    TensorLine,
)
from llm_runner_router.tokenizer.vocabulary import TOKENS_KEY

EMBEDDING = "token_embd.weight"


@dataclass(frozen=True, slots=True)
class Load:
    """What memory is asked for."""

    context_length: int = 0
    """Tokens of prompt and answer; 0: as many as the model was made for."""
    parallel: int = 1
    """Requests that run at once."""


def inspect(path: Path, load: Load) -> ModelReport:
    """The report on a file, or on the whole set that it is a part of. Reads headers only.

    Raises RouterError where a file cannot be read or is no GGUF file. Whatever else is wrong
    stands in the report.
    """
    files = model_file.read_model(path)
    metadata, tensors = files.metadata, files.tensors
    tokens = vocabulary_size(metadata, tensors)
    memory, problems = (None, []) if files.faults else memory_of(files.paths[0], load, tokens or 0)
    values = {line.key: line.value for line in metadata}
    architecture = text(values, "general.architecture")
    return ModelReport(
        paths=files.paths,
        version=files.version,
        file_bytes=files.nbytes,
        metadata=metadata,
        tensors=tensors,
        architecture=architecture,
        name=text(values, "general.name"),
        context_length=number(values, f"{architecture}.context_length"),
        vocabulary_size=tokens,
        has_chat_template=TEMPLATE_KEY in values,
        memory=memory,
        unsupported=(*files.faults, *problems, *text_faults(metadata)),
    )


def memory_of(path: Path, load: Load, vocabulary: int) -> tuple[MemoryNeed | None, list[str]]:
    """What the model takes, or why that cannot be told."""
    try:
        need = model_file.estimate_memory(path, load.context_length, load.parallel, vocabulary)
    except RouterError as error:
        return None, [error.message]
    return need, []


def text(values: Mapping[str, MetadataValue], key: str) -> str:
    """A text, empty where there is none."""
    value = values.get(key)
    return value if isinstance(value, str) else ""


def number(values: Mapping[str, MetadataValue], key: str) -> int | None:
    """A whole number, if it is one."""
    value = values.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def vocabulary_size(metadata: Sequence[MetadataLine], tensors: Sequence[TensorLine]) -> int | None:
    """Tokens of the vocabulary, or rows of the token embedding where there is none."""
    for line in metadata:
        if line.key == TOKENS_KEY and line.length is not None:
            return line.length
    rows = (tensor.shape[1] for tensor in tensors if tensor.name == EMBEDDING and tensor.shape[1:])
    return next(rows, None)
