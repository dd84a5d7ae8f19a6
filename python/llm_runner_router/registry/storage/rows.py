"""What the tables keep of models, aliases, templates and measurements, there and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    Endpoint,
    MeasurementRow,
    ModelConfig,
    ModelLimits,
    ModelRecord,
    Pricing,
    PromptTemplate,
)
from llm_runner_router.types import ModelFormat

Row = Mapping[str, Any]


def model_row(record: ModelRecord) -> dict[str, Any]:
    """The columns of a record. Settings that say nothing are left out."""
    return {
        "id": record.id,
        "name": record.name,
        "format": record.format.value,
        "source": record.source,
        "config": said(asdict(record.config)),
        "capabilities": list(record.capabilities),
        "labels": dict(record.labels),
        "etag": record.etag,
        "provider": record.provider,
        "endpoint": said(asdict(record.endpoint)),
        "pricing": None if record.pricing is None else said(asdict(record.pricing)),
        "quality": record.quality,
        "owner": record.owner,
        "tags": list(record.tags),
        "limits": said(asdict(record.limits)),
        "created": record.created,
        "updated": record.updated,
    }


def said(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that say something."""
    return {key: value for key, value in settings.items() if value not in (None, (), {})}


def model_of(row: Row) -> ModelRecord:
    """The record of a row."""
    config = dict(row["config"])
    config["stop"] = tuple(config.get("stop", ()))
    return ModelRecord(
        id=row["id"],
        name=row["name"],
        format=ModelFormat(row["format"]),
        source=row["source"],
        config=ModelConfig(**config),
        capabilities=tuple(row["capabilities"]),
        labels=dict(row["labels"]),
        etag=row["etag"],
        provider=row["provider"],
        endpoint=Endpoint(**row["endpoint"]),
        pricing=None if row["pricing"] is None else Pricing(**row["pricing"]),
        quality=row["quality"],
        owner=row["owner"],
        tags=tuple(row["tags"]),
        limits=ModelLimits(**row["limits"]),
        created=row["created"],
        updated=row["updated"],
    )


def alias_row(alias: Alias) -> dict[str, Any]:
    """The columns of an alias."""
    return {
        "id": alias.id,
        "targets": [asdict(target) for target in alias.targets],
        "strategy": None if alias.strategy is None else alias.strategy.value,
        "fallbacks": list(alias.fallbacks),
        "rules": [asdict(rule) for rule in alias.rules],
        "etag": alias.etag,
    }


def alias_of(row: Row) -> Alias:
    """The alias of a row."""
    return Alias(
        id=row["id"],
        targets=tuple(AliasTarget(**target) for target in row["targets"]),
        strategy=None if row["strategy"] is None else Strategy(row["strategy"]),
        fallbacks=tuple(row["fallbacks"]),
        rules=tuple(
            AliasRule(rule["key"], tuple(rule["values"]), rule["model"]) for rule in row["rules"]
        ),
        etag=row["etag"],
    )


def template_row(template: PromptTemplate) -> dict[str, Any]:
    """The columns of a template."""
    return asdict(template) | {
        "stop_tokens": list(template.stop_tokens),
        "model_compatibility": list(template.model_compatibility),
    }


def template_of(row: Row) -> PromptTemplate:
    """The template of a row."""
    texts = {key: row[key] for key in ("id", "format", "name", "etag")}
    return PromptTemplate(
        **texts,
        stop_tokens=tuple(row["stop_tokens"]),
        model_compatibility=tuple(row["model_compatibility"]),
    )


def measurement_of(row: Row) -> MeasurementRow:
    """The measurements of a row; the columns are the fields."""
    return MeasurementRow(**row)
