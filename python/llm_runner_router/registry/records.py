"""What the registry knows of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llm_runner_router.types import ModelFormat

DEFAULT_CAPABILITIES = ("text-generation",)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """How a model is run, and the sampling defaults of requests that leave a field out.

    ``context_length`` ``None`` means the model's own; ``gpu_layers`` ``None`` the setting of the
    service.
    """

    context_length: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    stop: Sequence[str] = ()
    gpu_layers: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One registered model.

    ``id`` is what requests name and never changes. ``source`` is where the weights lie.
    ``etag`` changes with every update; the store sets it.
    """

    id: str
    name: str
    format: ModelFormat
    source: str
    config: ModelConfig = field(default_factory=ModelConfig)
    capabilities: Sequence[str] = DEFAULT_CAPABILITIES
    labels: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What is known of a model's file once it has been read; zero or empty before that."""

    architecture: str = ""
    parameters: int = 0
    file_bytes: int = 0
    context_length: int = 0
    vocabulary_size: int = 0


@dataclass(frozen=True, slots=True)
class ModelView:
    """A record with its present state, as GetModel and ListModels answer it."""

    record: ModelRecord
    loaded: bool = False
    details: ModelDetails = field(default_factory=ModelDetails)


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A page of ListModels; ``next_page_token`` is empty on the last one."""

    models: Sequence[ModelView]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """A step of loading: ``fraction`` runs from 0 to 1 and never falls."""

    phase: str
    fraction: float
