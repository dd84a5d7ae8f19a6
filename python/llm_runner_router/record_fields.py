"""Records of the registry from plain Python values, as LLMRouter accepts them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    AliasRule,
    AliasTarget,
    Endpoint,
    ModelConfig,
    ModelLimits,
    ModelRecord,
    Pricing,
)
from llm_runner_router.request_values import listed, made, named
from llm_runner_router.types import ModelFormat

Source = str | os.PathLike[str] | None

MAX_LENGTH = "max_length"
COUNTS_THE_ANSWER = "max_tokens, of the model or of a request, which counts the answer alone"

Targets = Sequence[str | AliasTarget | Mapping[str, Any]] | Mapping[str, float]
"""The models behind an alias: ids, ids with their weights, or targets."""


class ModelFields(TypedDict, total=False):
    """ModelRecord's fields by keyword; config, endpoint and pricing may be mappings."""

    provider: str
    format: ModelFormat | str
    name: str
    config: ModelConfig | Mapping[str, Any] | None
    capabilities: Sequence[str]
    labels: Mapping[str, str] | None
    endpoint: Endpoint | Mapping[str, Any] | None
    pricing: Pricing | Mapping[str, Any] | None
    quality: float | None
    owner: str
    tags: Sequence[str]
    limits: ModelLimits | Mapping[str, Any] | None


def record_of(model: str, source: Source, values: ModelFields) -> ModelRecord:
    """The record of a model: one of a provider where one is named, else a GGUF file.

    ``format`` says that it is something else, such as a checkpoint (``hf``).
    """
    provider, pricing = values.get("provider", ""), values.get("pricing")
    return ModelRecord(
        id=model,
        name=values.get("name", ""),
        format=format_of(values.get("format"), provider),
        source=source_of(source, model if provider else None),
        config=config_of(values.get("config")),
        capabilities=values.get("capabilities", DEFAULT_CAPABILITIES),
        labels=values.get("labels") or {},
        provider=provider,
        endpoint=made(Endpoint, values.get("endpoint") or {}, "endpoint"),
        pricing=None if pricing is None else made(Pricing, pricing, "pricing"),
        quality=values.get("quality"),
        owner=values.get("owner", ""),
        tags=values.get("tags", ()),
        limits=made(ModelLimits, values.get("limits") or {}, "limits"),
    )


def config_of(values: ModelConfig | Mapping[str, Any] | None) -> ModelConfig:
    """The settings of a model.

    ``maxLength``, in which Transformers counts prompt and answer, warns and sets nothing.
    """
    if isinstance(values, ModelConfig):
        return values
    given = named(values or {}, "config", "a ModelConfig, or its fields by name")
    if given.pop(MAX_LENGTH, None) is not None:
        warn_old(f"config.{MAX_LENGTH}", COUNTS_THE_ANSWER)
    return made(ModelConfig, given, "config")


def format_of(said: object, provider: str) -> ModelFormat:
    """The format that is said, by its word or its alias, else by whether there is a provider."""
    if said is None:
        return ModelFormat.API if provider else ModelFormat.GGUF
    word = "hf" if said == "huggingface" else said
    if not isinstance(word, str) or word not in frozenset(ModelFormat):
        raise InvalidRequestError("format", said, f"one of {', '.join(ModelFormat)}, huggingface")
    return ModelFormat(word)


def source_of(source: Source, default: str | None) -> str:
    """The source of a model as text."""
    if source is None:
        if default is None:
            raise InvalidRequestError("source", None, "the path of a model's file")
        return default
    return os.fspath(source) if isinstance(source, os.PathLike) else source


def targets_of(values: Targets) -> tuple[AliasTarget, ...]:
    """The models behind an alias."""
    if isinstance(values, Mapping):
        return tuple(AliasTarget(model, weight) for model, weight in values.items())
    return listed(target_of)(values, "targets")


def target_of(value: object, path: str) -> AliasTarget:
    """One model behind an alias."""
    return AliasTarget(value) if isinstance(value, str) else made(AliasTarget, value, path)


def rules_of(values: Sequence[AliasRule | Mapping[str, Any]]) -> tuple[AliasRule, ...]:
    """The rules of an alias."""
    return listed(rule_of)(values, "rules")


def rule_of(value: object, path: str) -> AliasRule:
    """One rule of an alias."""
    return made(AliasRule, value, path)
