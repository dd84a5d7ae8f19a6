"""What the registry knows of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llm_runner_router.preferences import Strategy
from llm_runner_router.types import ModelFormat

DEFAULT_CAPABILITIES = ("text-generation",)

QUANTIZATIONS = (
    *("F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S"),
    *("Q4_1", "Q4_0", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K"),
)
"""What the weights of a checkpoint may become, the largest first."""

BYTES_A_TOKEN = 600
"""What a token of the vocabulary takes in Python's and the tokenizer's memory, measured."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """How a model is run, and the defaults of requests that leave a field out.

    ``context_length`` ``None`` means the model's own; ``gpu_layers`` and ``idle_timeout`` (seconds;
    0: never) ``None`` the setting of the service. ``system`` is the message that begins
    conversations without one; ``chat_template`` (Jinja) replaces that of the file. A ``pinned``
    model is never taken out of memory to make room, nor for being idle. ``quantization`` (one of
    ``QUANTIZATIONS``) is what a checkpoint of format ``hf`` becomes; ``None`` means F16.
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
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    system: str | None = None
    chat_template: str | None = None
    license: str | None = None
    pinned: bool | None = None
    idle_timeout: float | None = None
    quantization: str | None = None


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What a model may be asked for. ``None`` means no limit of its own.

    ``concurrent_requests`` run at once, others wait; ``max_tokens`` is the longest answer.
    """

    concurrent_requests: int | None = None
    max_tokens: int | None = None


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

    ``id`` is what requests name and never changes: ``name`` or ``name@version``. ``source`` is
    where the weights lie, or for format ``api`` the model's name at its ``provider``. ``pricing``
    replaces the published prices;
    ``quality`` from 0 to 1 is the operator's judgement. ``etag`` changes with every update; the
    store sets it, and ``created`` and ``updated`` (seconds since 1970).
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
    owner: str = ""
    tags: Sequence[str] = ()
    limits: ModelLimits = field(default_factory=ModelLimits)
    created: float = 0.0
    updated: float = 0.0


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
class MemoryEstimate:
    """Bytes that a model takes in memory: weights, KV cache, compute buffers, and its tokens.

    The KV cache is that of the configured context and concurrency.
    """

    weights: int = 0
    kv: int = 0
    compute: int = 0
    vocabulary: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute + self.vocabulary


@dataclass(frozen=True, slots=True)
class ModelPerformance:
    """What was measured of a model; ``None`` where nothing was yet. Never what was declared.

    ``memory_bytes`` is what it takes in memory now, 0 while it is not there.
    """

    samples: int = 0
    tokens_per_second: float | None = None
    first_token_ms: float | None = None
    first_token_p95_ms: float | None = None
    error_rate: float = 0.0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ModelView:
    """A record with its present state, as GetModel and ListModels answer it.

    ``memory`` is an estimate of what it takes when it is loaded; ``None`` where that is unknown:
    of models behind an API, and of files that are not here or cannot be run. ListModels leaves it
    out.
    """

    record: ModelRecord
    loaded: bool = False
    details: ModelDetails = field(default_factory=ModelDetails)
    memory: MemoryEstimate | None = None
    performance: ModelPerformance = field(default_factory=ModelPerformance)


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


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull has come.

    ``phase`` is ``resolving``, ``downloading``, ``verifying``, ``converting`` or ``done``; the
    bytes are those of all files together. ``remaining_seconds`` is ``None`` while nobody knows.
    ``note`` says what of the source could not be taken over.
    """

    phase: str
    file: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    bytes_per_second: float = 0.0
    remaining_seconds: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """A page of ListModels that is asked for. The texts are explained in ``registry.proto``."""

    filter: str = ""
    order_by: str = ""
    page_size: int = 0
    page_token: str = ""


class ChangeKind(StrEnum):
    """What has changed in the registry."""

    MODEL_SET = "model_set"
    MODEL_REMOVED = "model_removed"
    ALIAS_SET = "alias_set"
    ALIAS_REMOVED = "alias_removed"
    SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """A change as WatchModels tells it: the thing as it is now, not what was done to it.

    ``synced`` says once that everything that had changed before has been told. A watch that begins
    with ``resume_token`` goes on behind this change.
    """

    kind: ChangeKind
    id: str = ""
    model: ModelView | None = None
    alias: Alias | None = None
    resume_token: str = ""


class ImportMode(StrEnum):
    """What becomes of a different record under an id that an import brings: it stays, or not."""

    KEEP = "keep"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import has done, as ``model m`` or ``template t``, in the order of the document."""

    added: Sequence[str] = ()
    replaced: Sequence[str] = ()
    unchanged: Sequence[str] = ()
