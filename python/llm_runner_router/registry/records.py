"""What the registry knows of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_runner_router.preferences import Strategy
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
class Endpoint:
    """How a provider's API is reached; ``None`` and empty leave it to the provider's usual.

    ``api_key`` is a reference (``env:NAME``, ``file:PATH``), never the key itself. ``options`` are
    fields of the provider's API that go with every request.
    """

    base_url: str | None = None
    api_key: str | None = None
    organization: str | None = None
    api_version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pricing:
    """US dollars a million tokens. ``None`` means as ``input``, or as ``output`` for reasoning."""

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    reasoning: float | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One registered model.

    ``id`` is what requests name and never changes. ``source`` is where the weights lie, or for
    format ``api`` the model's name at its ``provider``. ``pricing`` replaces the published prices;
    ``quality`` from 0 to 1 is the operator's judgement. ``etag`` changes with every update; the
    store sets it.
    """

    id: str
    name: str
    format: ModelFormat
    source: str
    config: ModelConfig = field(default_factory=ModelConfig)
    capabilities: Sequence[str] = DEFAULT_CAPABILITIES
    labels: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    provider: str = ""
    endpoint: Endpoint = field(default_factory=Endpoint)
    pricing: Pricing | None = None
    quality: float | None = None


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """A model behind an alias; ``weight`` is its share in weighted and canary splits."""

    model: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class AliasRule:
    """Requests whose metadata ``key`` has one of ``values`` go to ``model``."""

    key: str
    values: Sequence[str]
    model: str


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for several models. The first rule that fits decides, else the strategy.

    ``fallbacks`` (ids of models) are tried in order after the targets.
    """

    id: str
    targets: Sequence[AliasTarget]
    strategy: Strategy | None = None
    fallbacks: Sequence[str] = ()
    rules: Sequence[AliasRule] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt with variables: ``{question}`` is one, ``{{`` and ``}}`` are braces.

    ``stop_tokens`` end answers to it; ``model_compatibility`` are ids of models, with ``*`` for any
    characters; empty means every model.
    """

    id: str
    format: str
    name: str = ""
    stop_tokens: Sequence[str] = ()
    model_compatibility: Sequence[str] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What a caller used of a model on a day (UTC, ``2026-11-24``)."""

    day: str
    caller: str
    model: str
    requests: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0
    saved_cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """Which usage is asked for: days as ``UsageRow.day``, both included; empty means all."""

    first_day: str = ""
    last_day: str = ""
    caller: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """What is remembered of a model with prompts of one length class; averages that forget.

    ``first_token_ms`` and ``token_ms`` are ``None`` while nothing was measured; ``reward`` lies
    from 0 to 1 and ``rewards`` is the weight behind it.
    """

    model: str
    length_class: int
    samples: int = 0
    first_token_ms: float | None = None
    first_token_p95_ms: float | None = None
    token_ms: float | None = None
    error_rate: float = 0.0
    reward: float = 0.0
    rewards: float = 0.0


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
