"""A model's file, read and started: what it takes, and what it becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.config.tree import EngineConfig
from llm_runner_router.errors import ModelFileError
from llm_runner_router.providers.core_errors import load_error
from llm_runner_router.providers.local_prefixes import (
    LocalPrefixes,
    restored_prefixes,
    stamps_of,
)
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.providers.prompt_encoder import TEMPLATE_KEY, PromptEncoder
from llm_runner_router.registry.records import (
    BYTES_A_TOKEN,
    MemoryEstimate,
    ModelDetails,
    ModelRecord,
)
from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from llm_runner_router.tokenizer.vocabulary import TOKENS_KEY

PHASES = {"model": (0.0, 0.9), "cache": (0.9, 1.0)}
"""The engine's phases of loading, and their shares of the whole."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Which file is run, and how. A ``context_length`` of 0 leaves it to service and file.

    ``adapters`` are LoRA adapters as GGUF, and how much of each counts; 1 is all of it.
    """

    path: Path
    service: LocalService
    max_sequences: int
    context_length: int = 0
    gpu_layers: int = 0
    chat_template: str | None = None
    adapters: tuple[tuple[Path, float], ...] = ()

    @classmethod
    def of(
        cls, path: Path, record: ModelRecord, service: LocalService, max_sequences: int
    ) -> LocalOptions:
        """The record's settings over the service's."""
        layers = record.config.gpu_layers
        return cls(
            path=path,
            service=service,
            max_sequences=max_sequences,
            context_length=record.config.context_length or 0,
            gpu_layers=service.engine.gpu_layers if layers is None else layers,
            chat_template=record.config.chat_template,
        )

    def with_adapters(self, paths: Iterable[Path]) -> LocalOptions:
        """These, with all of each adapter."""
        return replace(self, adapters=tuple((path, 1.0) for path in paths))

    @property
    def engine(self) -> EngineConfig:
        """What the service says of all models."""
        return self.service.engine

    @property
    def kv_bytes(self) -> int:
        """The limit of the KV cache; 0: the core chooses, which knows the accelerator's memory."""
        return self.engine.kv_bytes or (0 if self.gpu_layers else self.service.kv_bytes)

    def core_config(self, metadata: Mapping[str, object]) -> _core.EngineConfig:
        """As the core wants it. The service's context is a limit: the file's may be shorter."""
        own = metadata.get(f"{metadata.get('general.architecture')}.context_length")
        usual = min(self.engine.context_length, own) if isinstance(own, int) else 0
        return _core.EngineConfig(
            model_path=str(self.path),
            adapters=[(str(path), scale) for path, scale in self.adapters],
            context_length=self.context_length or usual,
            max_sequences=self.max_sequences,
            threads=self.engine.threads,
            batch_tokens=self.engine.batch_tokens,
            block_size=self.engine.block_size,
            kv_bytes=self.kv_bytes,
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
    memory: MemoryEstimate
    prefixes: LocalPrefixes | None = None


def load_model(options: LocalOptions, report: Callable[[str, float], bool]) -> LoadedModel:
    """Read a file and start its engine; blocks. Raises RouterError."""
    with load_errors():
        files = _core.GgufShards(options.path)
        adapters = [str(path) for path, _ in options.adapters]
        stamps, file_bytes = stamps_of([*files.paths, *adapters]), files.nbytes
        metadata = files.metadata
        del files  # the engine maps them again, and how many a process may map is bounded
        tokenizer = Tokenizer.from_metadata(metadata)
        encoder = PromptEncoder(tokenizer, templated(metadata, options.chat_template))
        ends = sorted(tokenizer.end_of_generation_ids)
        config = options.core_config(metadata)
        engine = _core.Engine(config, tokenizer.token_bytes(), ends, report)
    details = ModelDetails(
        architecture=engine.architecture,
        parameters=engine.parameters,
        file_bytes=file_bytes,
        context_length=engine.context_length,
        vocabulary_size=engine.vocabulary_size,
    )
    memory = with_vocabulary(engine.memory, engine.vocabulary_size)
    model = LoadedModel(engine, tokenizer, encoder, details, memory)
    snapshots = options.service.snapshots
    if snapshots is None:
        return model
    try:
        wanted = partial(report, "prefixes", 1.0)
        return replace(model, prefixes=restored_prefixes(engine, snapshots, stamps, wanted))
    except BaseException:
        engine.close()
        raise


def templated(metadata: Mapping[str, object], template: str | None) -> Mapping[str, object]:
    """The metadata with another chat template, where one is given."""
    return metadata if template is None else {**metadata, TEMPLATE_KEY: template}


def estimate(options: LocalOptions) -> MemoryEstimate:
    """What the model would take in memory; blocks, and reads headers only. Raises RouterError."""
    with load_errors():
        metadata = _core.GgufShards(options.path).metadata
        needed = _core.estimate_memory(options.core_config(metadata))
    tokens = metadata.get(TOKENS_KEY)
    return with_vocabulary(needed, len(tokens) if isinstance(tokens, list) else 0)


def with_vocabulary(needed: _core.MemoryEstimate, tokens: int) -> MemoryEstimate:
    """What the core needs, and Python beside it."""
    return MemoryEstimate(needed.weights, needed.kv, needed.compute, tokens * BYTES_A_TOKEN)


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
