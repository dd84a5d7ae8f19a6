"""What a request wishes about how it is routed, cached and admitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Strategy(StrEnum):
    """How a model is chosen where several could answer."""

    QUALITY_FIRST = "quality-first"
    COST_OPTIMIZED = "cost-optimized"
    SPEED_PRIORITY = "speed-priority"
    BALANCED = "balanced"
    RANDOM = "random"
    ROUND_ROBIN = "round-robin"
    LEAST_LOADED = "least-loaded"
    CAPABILITY_MATCH = "capability-match"
    PREFIX_AFFINITY = "prefix-affinity"
    WEIGHTED = "weighted"
    CANARY = "canary"
    ADAPTIVE = "adaptive"


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a model must offer to be a candidate at all; ``None`` and empty ask for nothing.

    ``max_cost_usd`` bounds the estimated cost of the request, ``max_latency_ms`` the expected
    time to the first token, ``min_quality`` lies from 0 to 1, ``local_only`` keeps the request
    on models that run in this service.
    """

    capabilities: Sequence[str] = ()
    context_length: int | None = None
    max_cost_usd: float | None = None
    max_latency_ms: float | None = None
    min_quality: float | None = None
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    """How the answering model is chosen, and what happens when it fails before its first chunk.

    ``fallbacks`` are ids or aliases in the order in which they are tried; ``fallback_to_capable``
    adds every other model that meets the requirements. ``affinity`` is the key that canary
    splits stick to; without one, the caller. ``None`` leaves a setting to the service.
    """

    strategy: Strategy | None = None
    requirements: Requirements = field(default_factory=Requirements)
    fallbacks: Sequence[str] = ()
    fallback_to_capable: bool = False
    max_attempts: int | None = None
    first_token_timeout_ms: float | None = None
    hedge: bool | None = None
    affinity: str | None = None


class CacheMode(StrEnum):
    """What a request does with the cache of answers."""

    DEFAULT = "default"
    BYPASS = "bypass"  # neither looks nor stores
    REFRESH = "refresh"  # does not look, but stores


@dataclass(frozen=True, slots=True)
class CacheControl:
    """``any_sampling`` allows answers that are not deterministic; ``ttl`` seconds, 0 = off."""

    mode: CacheMode = CacheMode.DEFAULT
    any_sampling: bool = False
    ttl: int | None = None


class Priority(StrEnum):
    """Who goes first where requests wait."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A registered template and the texts of its variables; it makes the prompt."""

    id: str
    variables: Mapping[str, str] = field(default_factory=dict)
