"""A model's file, read and started: what it takes, and what it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.config import EngineConfig
from llm_runner_router.errors import ModelFileError
from llm_runner_router.providers.core_errors import load_error
from llm_runner_router.providers.kv_snapshots import KvSnapshots
from llm_runner_router.providers.local_prefixes import (
    LocalPrefixes,
    restored_prefixes,
    stamps_of,
)
from llm_runner_router.providers.prompt_encoder import PromptEncoder
from llm_runner_router.registry.records import ModelDetails, ModelRecord
from llm_runner_router.tokenizer import Tokenizer, TokenizerError

PHASES = {"model": (0.0, 0.9), "cache": (0.9, 1.0)}
"""The engine's phases of loading, and their shares of the whole."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Which file is run, and how. A ``context_length`` of 0 leaves it to service and file.

    With ``snapshots``, what the model has cached outlives its time in memory.
    """

    path: Path
    context_length: int
    gpu_layers: int
    max_sequences: int
    engine: EngineConfig
    snapshots: KvSnapshots | None = None

    @classmethod
    def of(
        cls,
        path: Path,
        record: ModelRecord,
        engine: EngineConfig,
        max_sequences: int,
        snapshots: KvSnapshots | None = None,
    ) -> LocalOptions:
        """The record's settings over the service's."""
        layers = record.config.gpu_layers
        return cls(
            path=path,
            context_length=record.config.context_length or 0,
            gpu_layers=engine.gpu_layers if layers is None else layers,
            max_sequences=max_sequences,
            engine=engine,
            snapshots=snapshots,
        )

    def core_config(self, metadata: Mapping[str, object]) -> _core.EngineConfig:
        """As the core wants it. The service's context is a limit: the file's may be shorter."""
        own = metadata.get(f"{metadata.get('general.architecture')}.context_length")
        usual = min(self.engine.context_length, own) if isinstance(own, int) else 0
        return _core.EngineConfig(
            model_path=str(self.path),
            context_length=self.context_length or usual,
            max_sequences=self.max_sequences,
            threads=self.engine.threads,
            batch_tokens=self.engine.batch_tokens,
            block_size=self.engine.block_size,
            kv_bytes=self.engine.kv_bytes,
            kv_type=self.engine.kv_type.value,
            gpu_layers=self.gpu_layers,
        )


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a file becomes."""

    engine: _core.Engine
    tokenizer: Tokenizer
    encoder: PromptEncoder
    details: ModelDetails
    prefixes: LocalPrefixes | None = None


def load_model(options: LocalOptions, report: Callable[[str, float], bool]) -> LoadedModel:
    """Read a file and start its engine; blocks. Raises RouterError."""
    stamps = stamps_of(options.path)
    with load_errors():
        file = _core.GgufFile(options.path)
        tokenizer = Tokenizer.from_metadata(file.metadata)
        encoder = PromptEncoder(tokenizer, file.metadata)
        ends = sorted(tokenizer.end_of_generation_ids)
        config = options.core_config(file.metadata)
        engine = _core.Engine(config, tokenizer.token_bytes(), ends, report)
    details = ModelDetails(
        architecture=engine.architecture,
        parameters=engine.parameters,
        file_bytes=file.nbytes,
        context_length=engine.context_length,
        vocabulary_size=engine.vocabulary_size,
    )
    prefixes = None
    if options.snapshots is not None:
        wanted = partial(report, "prefixes", 1.0)
        prefixes = restored_prefixes(engine, options.snapshots, stamps, wanted)
    return LoadedModel(engine, tokenizer, encoder, details, prefixes)


@contextmanager
def load_errors() -> Iterator[None]:
    """The core's and the tokenizer's errors as ours."""
    try:
        yield
    except _core.CoreError as error:
        raise load_error(error.code, error.reason, error.message) from None
    except TokenizerError as error:
        raise ModelFileError(f"the model file's vocabulary cannot be used: {error}") from None


def overall(phase: str, fraction: float) -> float:
    """How much of the whole load a part of a phase is."""
    begin, end = PHASES.get(phase, (1.0, 1.0))
    return begin + (end - begin) * fraction


def discard(loading: asyncio.Future[LoadedModel]) -> None:
    """Close the engine of a load that nobody waits for any more."""
    if not loading.cancelled() and loading.exception() is None:
        loading.result().engine.close()
