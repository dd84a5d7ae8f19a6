"""The configuration: one frozen tree, its defaults and its limits.

Keys may be spelled in camelCase (as JSON files do) or snake_case. ``Config`` holds values that
are already checked; ``sources.py`` finds and merges where they come from. Every wrong key
or value is an InvalidConfigError that names the key, the value (unless it may be secret) and what
is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from llm_runner_router.config.errors import (
    SECRETS,
    config_error,
    shown,
    without_secrets,
)
from llm_runner_router.config.routing import (
    BudgetsConfig,
    CacheConfig,
    LimitsConfig,
    RoutingConfig,
)
from llm_runner_router.config.section import Section, setting, word
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.hidden import hidden

Nested = Mapping[str, Mapping[str, Any]]


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
        "./models",
        "a path",
        "Folder of downloaded models and of KV snapshots. Nothing is written elsewhere.",
        min_length=1,
    )
    auto_download: bool = setting(
        default=False,
        allowed="true or false",
        description="Whether a model is downloaded when it is first used; otherwise when it is "
        "pulled.",
    )
    ollama_dir: str | None = setting(
        None,
        "a path, or null",
        "Folder of Ollama's models, used in place; null: `OLLAMA_MODELS`, else `~/.ollama/models`.",
        min_length=1,
    )
    memory_bytes: int = setting(
        0,
        "bytes, a whole number ≥ 0",
        "What all models that run here may take in memory; 0: 80 % of what is free at the start.",
        ge=0,
    )
    idle_timeout: float = setting(
        0.0,
        "seconds, a number from 0 to 31536000",
        "Seconds without a request after which a model is taken out of memory; 0: never.",
        ge=0,
        le=31_536_000,
    )
    kv_snapshot_bytes: int = setting(
        0,
        "bytes, a whole number ≥ 0",
        "What the KV of known prompts may take on disk when their model leaves memory; it is "
        "back with the model. 0: it is not kept.",
        ge=0,
    )
    default: str | None = setting(
        None,
        "the id of a registered model or an alias, or null",
        "Model or alias of requests that name none; without it the strategy chooses.",
        min_length=1,
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

    host: str = setting(
        "127.0.0.1", "a host name or address, or unix:/path", "Address to bind.", min_length=1
    )
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
    url: str | None = setting(
        None,
        "postgresql://user:password@host:port/database, or null",
        "PostgreSQL database of registered models, which several services may share; instead of "
        "`path`.",
        pattern=r"\Apostgres(ql)?://",
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.path is not None and self.url is not None:
            raise PydanticCustomError("one_place", "path or url, not both")
        return self


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
            raise config_error(cls, error.errors()[0]) from None

    def nested(self) -> dict[str, Any]:
        """Plain dicts, strings and numbers with snake_case keys; of secrets the kind alone."""
        return without_secrets(self.model_dump(mode="json"))


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
    """``config`` with ``changes`` (nested, any subset); InvalidConfigError leaves it as it was.

    What ``nested`` shows in place of a secret stands for the present one.
    """
    present = config.model_dump(mode="json")
    plain = snake_keys(changes)
    for section, key in SECRETS:
        secret = present[section][key]
        if secret is not None and plain.get(section, {}).get(key) == shown((section, key), secret):
            plain[section][key] = secret
    result = Config.checked(merge(present, plain))
    for path, value in leaves(plain):
        if path not in CHANGEABLE and section_value(config, path) != section_value(result, path):
            allowed = "a change at start only; while running: " + ", ".join(
                sorted(".".join(key) for key in CHANGEABLE)
            )
            raise InvalidConfigError(".".join(path), shown(path, value), allowed)
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
        raise InvalidConfigError(where, hidden(values), "an object of settings")
    names = {to_camel(name): name for name in section.model_fields}
    names |= {name: name for name in section.model_fields}
    seen: set[str] = set()
    for key, value in values.items():
        name = names.get(key) if isinstance(key, str) else None
        where = ".".join((*path, str(key)))
        if name is None:
            raise unknown_key(where)
        if name in seen:
            raise InvalidConfigError(where, hidden(value), "the key in one spelling only")
        seen.add(name)
        yield name, value


def unknown_key(where: str) -> InvalidConfigError:
    """The error of a key that does not exist, with the nearest that does."""
    known = [key for key in known_keys() if "." in key or "." not in where]
    leaf_names = {key.rpartition(".")[2]: key for key in known}
    leaf = where.rpartition(".")[2]
    near = leaf_names.get(leaf) or next(iter(get_close_matches(where, known, 1, 0.6)), None)
    near = near or leaf_names.get(next(iter(get_close_matches(leaf, leaf_names, 1, 0.6)), ""))
    allowed = f"a known key; the nearest is {near}" if near else "a known key"
    return InvalidConfigError.unknown(where, allowed, reason="UNKNOWN_CONFIG_KEY")


def known_keys() -> list[str]:
    """Every section and setting in camelCase, as files spell them."""
    keys: list[str] = []
    for name, section in SECTIONS.items():
        keys.append(to_camel(name))
        keys += [f"{to_camel(name)}.{to_camel(key)}" for key in section.model_fields]
    return keys
