"""The tables of the registry, and the revisions that led to them (see ``migrations/``)."""

from __future__ import annotations

import json

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, MetaData, String, Table, Text

REVISIONS = ("0001", "0002", "0003")
"""In their order; the last one is what ``metadata`` says."""

metadata = MetaData()

# Sums of tokens and picodollars pass 2**31. SQLite's INTEGER has 64 bits by itself.
Count = BigInteger().with_variant(Integer(), "sqlite")

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
    Column("owner", String, nullable=False, server_default=""),
    Column("tags", JSON, nullable=False, server_default="[]"),
    Column("limits", JSON, nullable=False, server_default="{}"),
    Column("created", Float, nullable=False, server_default="0"),
    Column("updated", Float, nullable=False, server_default="0"),
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
# What an imported registry.json said beyond our fields: of a model or template, or of kind
# "registry" and an empty id. JSON as text, which keeps the order of its keys.
extras = Table(
    "extras",
    metadata,
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("document", Text, nullable=False),
)
# What has changed, oldest first, without gaps: rows are added in the transaction of the change
# and numbered one behind the other. ``written`` in seconds since 1970.
changes = Table(
    "changes",
    metadata,
    Column("sequence", Count, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("written", Float, nullable=False),
)
# One row: which registry this is, however often it moves.
identity = Table("identity", metadata, Column("epoch", String, primary_key=True))
measurements = Table(
    "measurements",
    metadata,
    Column("model", String, primary_key=True),
    Column("length_class", Integer, primary_key=True, autoincrement=False),
    Column("samples", Count, nullable=False),
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
    Column("requests", Count, nullable=False),
    Column("failures", Count, nullable=False),
    Column("prompt_tokens", Count, nullable=False),
    Column("cached_tokens", Count, nullable=False),
    Column("completion_tokens", Count, nullable=False),
    Column("reasoning_tokens", Count, nullable=False),
    Column("cost_picodollars", Count, nullable=False),
    Column("saved_cost_picodollars", Count, nullable=False),
)

# Apart from the tables, as Alembic keeps it and leaves it out of comparisons.
revision = Table(
    "registry_revision", MetaData(), Column("version_num", String(32), primary_key=True)
)


def dump_json(value: object) -> str:
    """JSON as it is stored: readable, and never NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
