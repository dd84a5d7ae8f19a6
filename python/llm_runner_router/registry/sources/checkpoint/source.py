"""Sources of models of format ``hf``: a checkpoint, and what its weights become.

::

    /folder, ./folder, ~/folder, file:///folder  of this machine, as ``save_pretrained`` wrote it
    hf://org/repo[@revision], org/repo, repo     of the Hugging Face hub
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.file import SCHEME, absolute_path
from llm_runner_router.registry.sources.hub.name import (
    ALLOWED_CHECKPOINTS,
    parsed_checkpoint_name,
)
from llm_runner_router.registry.sources.source import (
    FileSource,
    HubSource,
    Source,
    as_id,
    parse_source,
)
from llm_runner_router.registry.sources.wrong_source import check_source, wrong_source
from llm_runner_router.types import ModelFormat

PATHS = ("/", "./", "../", "~")
UNCHANGED = "F16"
"""What weights become where nothing is said."""


@dataclass(frozen=True, slots=True)
class CheckpointSource:
    """A checkpoint, and one of ``QUANTIZATIONS``. A FileSource is that of a folder."""

    kind: ClassVar[str] = "checkpoint"
    origin: FileSource | HubSource
    quantization: str = UNCHANGED

    @property
    def canonical(self) -> str:
        """One spelling a result."""
        return f"{self.origin.canonical}#{self.quantization}"

    @property
    def default_id(self) -> str:
        """A model's id made of it."""
        if isinstance(self.origin, HubSource):
            return as_id(self.origin.repository)
        return as_id(self.origin.path.name)

    @property
    def local(self) -> bool:
        """Whether the checkpoint is on this machine already."""
        return isinstance(self.origin, FileSource)


AnySource = Source | CheckpointSource


def parse_checkpoint(text: str, quantization: str | None = None) -> CheckpointSource:
    """What ``text`` says. InvalidRequestError of the field ``source`` says what is allowed.

    Nothing is read, on no disk and no network.
    """
    check_source(text, ALLOWED_CHECKPOINTS)
    wanted = quantization or UNCHANGED
    scheme = SCHEME.match(text)
    match scheme.group().lower() if scheme is not None else "":
        case "hf://":
            return CheckpointSource(hub_source(text[len("hf://") :], text), wanted)
        case "file://":
            return CheckpointSource(FileSource(absolute_path(text, Path())), wanted)
        case "" if text.startswith(PATHS):
            return CheckpointSource(FileSource(absolute_path(text, Path())), wanted)
        case "":
            return CheckpointSource(hub_source(text, text), wanted)
        case _:
            raise wrong_source(text, ALLOWED_CHECKPOINTS)


def hub_source(name: str, text: str) -> HubSource:
    """A whole repository of the hub."""
    organization, repository, revision = parsed_checkpoint_name(name, text)
    return HubSource(organization, repository, revision)


def source_of(record: ModelRecord) -> AnySource:
    """Where the weights of a record come from. InvalidRequestError of the field ``source``."""
    if record.format is ModelFormat.HF:
        return parse_checkpoint(record.source, record.config.quantization)
    return parse_source(record.source)
