"""The tables of the registry and its version, kept in ``PRAGMA user_version``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import JSON, Column, MetaData, String, Table
from sqlalchemy.engine import RowMapping

from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat

SCHEMA_VERSION = 1

metadata = MetaData()
models = Table(
    "models",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("format", String, nullable=False),
    Column("source", String, nullable=False),
    Column("config", JSON, nullable=False),
    Column("capabilities", JSON, nullable=False),
    Column("labels", JSON, nullable=False),
    Column("etag", String, nullable=False),
)


def to_row(record: ModelRecord) -> dict[str, Any]:
    """The columns of a record. Settings that say nothing are left out of ``config``."""
    config = {key: value for key, value in asdict(record.config).items() if value not in (None, ())}
    return {
        "id": record.id,
        "name": record.name,
        "format": record.format.value,
        "source": record.source,
        "config": config,
        "capabilities": list(record.capabilities),
        "labels": dict(record.labels),
        "etag": record.etag,
    }


def from_row(row: RowMapping) -> ModelRecord:
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
    )


def dump_json(value: object) -> str:
    """JSON as it is stored: readable, and never NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
