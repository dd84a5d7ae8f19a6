"""The sections of the configuration that decide who answers, for whom and at what cost."""

from __future__ import annotations

from llm_runner_router.config.section import Section, setting, word
from llm_runner_router.preferences import Strategy


class CacheConfig(Section):
    """The cache of answers. Deterministic requests only, unless a request asks for more."""

    enabled: bool = setting(
        default=True, allowed="true or false", description="Whether answers are kept."
    )
    ttl: int = setting(
        3600, "seconds, a whole number ≥ 0", "Seconds an answer is kept; 0: not at all.", ge=0
    )
    max_bytes: int = setting(
        64 << 20,
        "bytes, a whole number ≥ 0",
        "Memory that answers may take; the least recently used go first. Not with `url`.",
        ge=0,
    )
    url: str | None = setting(
        None,
        "redis://, rediss:// or unix:// and an address, or null",
        "Redis to keep answers in, shared with other services; null: memory.",
        pattern=r"^(rediss?|unix)://.+",
    )


class RoutingConfig(Section):
    """How a model is chosen, and what happens when it fails before its first chunk."""

    strategy: Strategy = word(
        Strategy.BALANCED,
        f"one of {', '.join(Strategy)}",
        "Strategy of requests and aliases that name none.",
    )
    enable_fallback: bool = setting(
        default=True,
        allowed="true or false",
        description="Try the other candidates when the chosen model fails. Fallbacks that a "
        "request names are tried in any case.",
    )
    quality_weight: float = setting(0.4, "a number ≥ 0", "Share of quality in `balanced`.", ge=0)
    cost_weight: float = setting(0.3, "a number ≥ 0", "Share of cost in `balanced`.", ge=0)
    speed_weight: float = setting(0.3, "a number ≥ 0", "Share of speed in `balanced`.", ge=0)
    seed: int | None = setting(
        None,
        "a whole number ≥ 0, or null",
        "Seed of random choices; null: another one at each start.",
        ge=0,
    )
    max_attempts: int = setting(
        3, "a whole number from 1 to 20", "Tries of one request, over all models.", ge=1, le=20
    )
    retry_backoff: int = setting(
        100,
        "milliseconds, a whole number from 0 to 60000",
        "Milliseconds before a model is tried again; doubled each time, with jitter.",
        ge=0,
        le=60_000,
    )
    first_token_timeout: int = setting(
        0,
        "milliseconds, a whole number from 0 to 86400000",
        "Milliseconds to the first token before another model is tried; 0: `performance.timeout`.",
        ge=0,
        le=86_400_000,
    )
    hedge: bool = setting(
        default=False,
        allowed="true or false",
        description="Ask a second model too where the first takes longer than its p95 to begin.",
    )
    breaker_failures: int = setting(
        5,
        "a whole number from 1 to 1000",
        "Failures in a row that open a model's circuit breaker.",
        ge=1,
        le=1000,
    )
    breaker_cooldown: float = setting(
        30.0,
        "seconds, a number from 0.1 to 3600",
        "Seconds until an open circuit breaker lets one request through to try.",
        ge=0.1,
        le=3600,
    )


class Budget(Section):
    """US dollars a day and a month (UTC); ``None``: no limit."""

    day: float | None = setting(None, "US dollars, a number ≥ 0, or null", "A day.", ge=0)
    month: float | None = setting(None, "US dollars, a number ≥ 0, or null", "A month.", ge=0)


class BudgetsConfig(Section):
    """What answers may cost. A budget that is used up refuses the next request."""

    total: Budget = setting(Budget(), "day and month in US dollars", "Of all requests together.")
    each_caller: Budget = setting(
        Budget(), "day and month in US dollars", "Of each caller that has no budget of its own."
    )
    callers: dict[str, Budget] = setting(
        {}, "day and month in US dollars, by caller", "Of single callers."
    )
    models: dict[str, Budget] = setting(
        {}, "day and month in US dollars, by model", "Of single models."
    )


class CallerLimits(Section):
    """What a caller may do; 0: as much as it likes."""

    requests_per_minute: int = setting(0, "a whole number ≥ 0", "Requests a minute.", ge=0)
    tokens_per_minute: int = setting(
        0, "a whole number ≥ 0", "Tokens a minute, prompts and answers together.", ge=0
    )
    concurrent_streams: int = setting(
        0, "a whole number ≥ 0", "Requests that run or wait at once.", ge=0
    )
    share: float = setting(
        1.0, "a number above 0", "Share of the service where callers compete.", gt=0
    )


class LimitsConfig(Section):
    """What callers may do."""

    each_caller: CallerLimits = setting(
        CallerLimits(), "limits of a caller", "Of each caller that has no limits of its own."
    )
    callers: dict[str, CallerLimits] = setting(
        {}, "limits of a caller, by caller", "Of single callers."
    )
