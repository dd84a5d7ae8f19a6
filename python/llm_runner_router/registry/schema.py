"""The tables of the registry and their version, kept in ``PRAGMA user_version``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table

SCHEMA_VERSION = 2

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
    Column("provider", String, nullable=False, server_default=""),
    Column("endpoint", JSON, nullable=False, server_default="{}"),
    Column("pricing", JSON(none_as_null=True)),
    Column("quality", Float),
)
aliases = Table(
    "aliases",
    metadata,
    Column("id", String, primary_key=True),
    Column("targets", JSON, nullable=False),
    Column("strategy", String),
    Column("fallbacks", JSON, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("etag", String, nullable=False),
)
templates = Table(
    "templates",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("format", String, nullable=False),
    Column("stop_tokens", JSON, nullable=False),
    Column("model_compatibility", JSON, nullable=False),
    Column("etag", String, nullable=False),
)
measurements = Table(
    "measurements",
    metadata,
    Column("model", String, primary_key=True),
    Column("length_class", Integer, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("first_token_ms", Float),
    Column("first_token_p95_ms", Float),
    Column("token_ms", Float),
    Column("error_rate", Float, nullable=False),
    Column("reward", Float, nullable=False),
    Column("rewards", Float, nullable=False),
)
# Money in whole 1e-12 US dollars: sums of them are exact.
usage = Table(
    "usage",
    metadata,
    Column("day", String, primary_key=True),
    Column("caller", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("cost_picodollars", Integer, nullable=False),
    Column("saved_cost_picodollars", Integer, nullable=False),
)

UPGRADES: Mapping[int, Sequence[str]] = {
    1: (
        "ALTER TABLE models ADD COLUMN provider VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE models ADD COLUMN endpoint JSON DEFAULT '{}' NOT NULL",
        "ALTER TABLE models ADD COLUMN pricing JSON",
        "ALTER TABLE models ADD COLUMN quality FLOAT",
    ),
}
"""What changes the tables of a version into those of the next; missing tables are created."""


def dump_json(value: object) -> str:
    """JSON as it is stored: readable, and never NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
