"""The configuration: one frozen tree, its defaults and its limits.

Keys may be spelled in camelCase (as JSON files do) or snake_case. ``Config`` holds values that
are already checked; ``config_sources.py`` finds and merges where they come from. Every wrong key
or value is an InvalidConfigError that names the key, the value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypedDict, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.preferences import Strategy

Nested = Mapping[str, Mapping[str, Any]]

NO_EFFECT = "Checked and kept, but without effect in this version."


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class KvType(StrEnum):
    """How keys and values of attention are kept."""

    F32 = "f32"
    F16 = "f16"


class Section(BaseModel):
    """Base of all parts: frozen, both spellings, unknown keys refused, no silent conversion."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        allow_inf_nan=False,
    )


T = TypeVar("T")


class Limits(TypedDict, total=False):
    """What pydantic checks of a setting."""

    ge: float
    gt: float
    le: float
    min_length: int
    pattern: str


def setting(default: T, allowed: str, description: str, **limits: Unpack[Limits]) -> T:
    """A field whose error message says ``allowed``."""
    extra: JsonDict = {"allowed": allowed}
    found: T = Field(default, description=description, json_schema_extra=extra, **limits)
    return found


def word(default: T, allowed: str, description: str) -> T:
    """A field of an enumeration, given by its word."""
    extra: JsonDict = {"allowed": allowed}
    found: T = Field(default, description=description, json_schema_extra=extra, strict=False)
    return found


class PerformanceConfig(Section):
    """How much runs at once and how long it may take."""

    max_concurrent: int = setting(
        10,
        "a whole number from 1 to 100",
        "Requests that run at once. A model computes as many at once as when it was loaded: "
        "load it anew to raise that.",
        ge=1,
        le=100,
    )
    max_queue: int = setting(
        100, "a whole number from 0 to 100000", "Requests that may wait.", ge=0, le=100_000
    )
    timeout: int = setting(
        30_000,
        "milliseconds, a whole number from 1000 to 86400000",
        "Milliseconds that a running request may go without a new token, or its client without "
        "taking what there is.",
        ge=1000,
        le=86_400_000,
    )


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


class LoggingConfig(Section):
    """What is logged, and where to."""

    level: LogLevel = word(
        LogLevel.INFO,
        "debug, info, warn or error",
        "The least important messages that are logged.",
    )
    file: str | None = setting(
        None, "a path, or null", "File that log lines are added to.", min_length=1
    )


class ModelsConfig(Section):
    """Where models lie."""

    cache_dir: str = setting(
        "./models", "a path", f"Folder of downloaded models. {NO_EFFECT}", min_length=1
    )
    auto_download: bool = setting(default=False, allowed="true or false", description=NO_EFFECT)
    default: str | None = setting(
        None,
        "the id of a registered model or an alias, or null",
        "Model or alias of requests that name none; without it the strategy chooses.",
        min_length=1,
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
    quality_weight: float = setting(
        0.4, "a number ≥ 0", "Share of quality in `balanced` and `capability-match`.", ge=0
    )
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


class EngineConfig(Section):
    """How models that run in this process are computed. Takes effect when a model is loaded."""

    threads: int = setting(
        0,
        "a whole number from 0 to 512",
        "Threads of each model in memory; 0: one a physical core. They wait for each other "
        "without sleeping: give models that answer at the same time cores of their own.",
        ge=0,
        le=512,
    )
    kv_type: KvType = word(KvType.F16, "f32 or f16", "Number format of the KV cache.")
    kv_bytes: int = setting(
        0,
        "bytes, a whole number ≥ 0",
        "Limit of a model's KV cache; 0: chosen by the engine.",
        ge=0,
    )
    batch_tokens: int = setting(
        512,
        "a whole number from 1 to 65536",
        "Tokens that are computed in one step at most.",
        ge=1,
        le=65_536,
    )
    block_size: int = setting(
        16, "a whole number from 1 to 1024", "Tokens a block of the KV cache.", ge=1, le=1024
    )
    gpu_layers: int = setting(
        0, "a whole number from -1 to 10000", "Layers on the GPU; -1: all.", ge=-1, le=10_000
    )
    context_length: int = setting(
        0,
        "tokens, a whole number from 0 to 16777216",
        "Context of models that set none of their own; 0: what the file says.",
        ge=0,
        le=16_777_216,
    )


class ServerConfig(Section):
    """Where the service listens."""

    host: str = setting("127.0.0.1", "a host name or address", "Address to bind.", min_length=1)
    port: int = setting(
        50051, "a whole number from 0 to 65535", "Port; 0: a free one.", ge=0, le=65_535
    )
    drain_timeout: float = setting(
        30.0,
        "seconds, a number from 0 to 86400",
        "Seconds that running requests get to finish when the service ends.",
        ge=0,
        le=86_400,
    )


class RegistryConfig(Section):
    """Where registered models are remembered."""

    path: str | None = setting(
        None,
        "a path, or null",
        "SQLite file of registered models; null keeps them in memory only.",
        min_length=1,
    )


class Config(Section):
    """The whole tree."""

    performance: PerformanceConfig = PerformanceConfig()
    cache: CacheConfig = CacheConfig()
    logging: LoggingConfig = LoggingConfig()
    models: ModelsConfig = ModelsConfig()
    routing: RoutingConfig = RoutingConfig()
    budgets: BudgetsConfig = BudgetsConfig()
    limits: LimitsConfig = LimitsConfig()
    engine: EngineConfig = EngineConfig()
    server: ServerConfig = ServerConfig()
    registry: RegistryConfig = RegistryConfig()

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Config:
        """The tree of ``values`` (nested, snake_case or camelCase) over the defaults."""
        try:
            return cls.model_validate(snake_keys(values))
        except ValidationError as error:
            raise config_error(error.errors()[0]) from None

    def nested(self) -> dict[str, Any]:
        """Plain dicts, strings and numbers with snake_case keys."""
        return self.model_dump(mode="json")


SECTIONS: Mapping[str, type[Section]] = {
    "performance": PerformanceConfig,
    "cache": CacheConfig,
    "logging": LoggingConfig,
    "models": ModelsConfig,
    "routing": RoutingConfig,
    "budgets": BudgetsConfig,
    "limits": LimitsConfig,
    "engine": EngineConfig,
    "server": ServerConfig,
    "registry": RegistryConfig,
}

CHANGEABLE = frozenset(
    {
        ("performance", "max_concurrent"),
        ("performance", "max_queue"),
        ("performance", "timeout"),
        ("logging", "level"),
    }
)
"""What ``updated`` may change while the service runs."""


def updated(config: Config, changes: Mapping[str, Any]) -> Config:
    """``config`` with ``changes`` (nested, any subset); InvalidConfigError leaves it as it was."""
    plain = snake_keys(changes)
    merged = merge(config.nested(), plain)
    result = Config.checked(merged)
    for path, value in leaves(plain):
        if path not in CHANGEABLE and section_value(config, path) != section_value(result, path):
            allowed = "a change at start only; while running: " + ", ".join(
                sorted(".".join(key) for key in CHANGEABLE)
            )
            raise InvalidConfigError(".".join(path), value, allowed)
    return result


def merge(base: Nested, over: Nested) -> dict[str, dict[str, Any]]:
    """``base`` with the sections of ``over`` laid over it, key by key."""
    result = {key: dict(value) for key, value in base.items()}
    for key, value in over.items():
        result[key] = {**result.get(key, {}), **value}
    return result


def leaves(values: Nested) -> Iterator[tuple[tuple[str, str], object]]:
    """Each set value of a checked tree with its path."""
    for section, entries in values.items():
        for key, value in entries.items():
            yield (section, key), value


def section_value(config: Config, path: tuple[str, str]) -> object:
    """The value at ``path``."""
    section, key = path
    return getattr(getattr(config, section), key)


def snake_keys(values: object) -> dict[str, dict[str, Any]]:
    """``values`` with the known keys of both levels in snake_case; unknown keys are refused."""
    result: dict[str, dict[str, Any]] = {}
    for key, section in renamed(Config, values, ()):
        result[key] = dict(renamed(SECTIONS[key], section, (key,)))
    return result


def renamed(
    section: type[Section], values: object, path: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """The items of ``values`` under their snake_case names."""
    if not isinstance(values, Mapping):
        where = ".".join(path) or "configuration"
        raise InvalidConfigError(where, values, "an object of settings")
    names = {to_camel(name): name for name in section.model_fields}
    names |= {name: name for name in section.model_fields}
    seen: set[str] = set()
    for key, value in values.items():
        name = names.get(key) if isinstance(key, str) else None
        where = ".".join((*path, str(key)))
        if name is None:
            raise unknown_key(where, value)
        if name in seen:
            raise InvalidConfigError(where, value, "the key in one spelling only")
        seen.add(name)
        yield name, value


def unknown_key(where: str, value: object) -> InvalidConfigError:
    """The error of a key that does not exist, with the nearest that does."""
    known = [key for key in known_keys() if "." in key or "." not in where]
    leaf_names = {key.rpartition(".")[2]: key for key in known}
    leaf = where.rpartition(".")[2]
    near = leaf_names.get(leaf) or next(iter(get_close_matches(where, known, 1, 0.5)), None)
    near = near or leaf_names.get(next(iter(get_close_matches(leaf, leaf_names, 1, 0.6)), ""))
    allowed = f"a known key; the nearest is {near}" if near else "a known key"
    return InvalidConfigError(where, value, allowed, reason="UNKNOWN_CONFIG_KEY")


def known_keys() -> list[str]:
    """Every section and setting in camelCase, as files spell them."""
    keys: list[str] = []
    for name, section in SECTIONS.items():
        keys.append(to_camel(name))
        keys += [f"{to_camel(name)}.{to_camel(key)}" for key in section.model_fields]
    return keys


def config_error(error: ErrorDetails) -> InvalidConfigError:
    """Our error for what pydantic has found."""
    section, key = str(error["loc"][0]), str(error["loc"][1])
    extra = next(
        field.json_schema_extra
        for name, field in SECTIONS[section].model_fields.items()
        if key in (name, to_camel(name))
    )
    allowed = str(extra["allowed"]) if isinstance(extra, dict) else error["msg"]
    return InvalidConfigError(f"{to_camel(section)}.{to_camel(key)}", error["input"], allowed)
