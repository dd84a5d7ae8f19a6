"""A checkpoint: a folder as ``save_pretrained`` writes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from llm_runner_router.checkpoints.architectures import blueprint_of
from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.file_names import CONFIG, INDEX, SINGLE, SMALL_FILES
from llm_runner_router.checkpoints.generation_defaults import generation_defaults
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.checkpoints.special_tokens import end_tokens
from llm_runner_router.checkpoints.text_file import opened, read_object
from llm_runner_router.checkpoints.tokenizer_metadata import TokenizerMetadata, tokenizer_metadata
from llm_runner_router.checkpoints.weights import read_tensors, weight_files
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.validation.request import MAX_CONTEXT

RULES = "2"
"""Changes whenever the same checkpoint becomes another file."""

CHUNK = 8 << 20


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What lies in ``folder``. All methods block; ModelFileError and UnsupportedError say why not.

    ``files`` are the names of all that counts, the small ones first.
    """

    folder: Path
    files: tuple[str, ...]

    @classmethod
    def of(cls, folder: Path) -> Checkpoint:
        """Of a folder that has at least a configuration and weights."""
        if not (folder / CONFIG).is_file():
            raise damaged(CONFIG, f"is not in the folder {str(folder)[:200]!r}")
        small = (*SMALL_FILES, INDEX) if not (folder / SINGLE).exists() else SMALL_FILES
        present = tuple(name for name in small if (folder / name).exists())
        return cls(folder, (*present, *weight_files(folder)))

    def blueprint(self) -> Blueprint:
        """The network that it describes; headers alone are read."""
        return blueprint_of(self._config(), read_tensors(self.folder))

    def tokenizer(self, blueprint: Blueprint) -> TokenizerMetadata:
        """The metadata of its tokenizer, which was compared with that of its library."""
        ends = end_tokens(self._config(), self.generation())
        return tokenizer_metadata(self.folder, blueprint.vocabulary, tuple(ends))

    def generation(self) -> GenerationSettings:
        """What it says of generation."""
        return GenerationSettings.of(self.folder)

    def defaults(self, context: int) -> tuple[ModelConfig, tuple[str, ...]]:
        """Its context and the defaults of requests; and what could not be taken over, in words."""
        config, notes = generation_defaults(self.generation())
        length = context if context <= MAX_CONTEXT else None
        return replace(config, context_length=length), tuple(notes)

    def size(self) -> int:
        """Bytes of all files."""
        return sum((self.folder / name).stat().st_size for name in self.files)

    def stamp(self) -> str:
        """Tells these files from others that take their place, without reading them. OSError."""
        digest = hashlib.sha256(RULES.encode())
        for name in self.files:
            found = (self.folder / name).stat()
            place = os.path.realpath(self.folder / name)
            times = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)
            digest.update(repr((name, place, found.st_size, *times)).encode())
        return digest.hexdigest()

    def identity(self, report: Callable[[str, int], None]) -> str:
        """Stands for the content of all files, wherever they lie. Reads them. OSError.

        ModelFileError where one is no regular file. ``report`` is told the file and the bytes
        that are read; what it raises ends the work.
        """
        digest = hashlib.sha256(RULES.encode())
        done = 0
        for name in self.files:
            of_file = hashlib.sha256()
            with opened(self.folder / name) as file:
                while piece := file.read(CHUNK):
                    report(name, done)
                    of_file.update(piece)
                    done += len(piece)
            digest.update(repr((name, of_file.hexdigest())).encode())
        return digest.hexdigest()

    def _config(self) -> Fields:
        return Fields(CONFIG, read_object(self.folder / CONFIG))
