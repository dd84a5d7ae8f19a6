"""Providers, aliases, templates, measurements and usage: the tables of user_version 2."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTS = (
    *("requests", "failures", "prompt_tokens", "cached_tokens", "completion_tokens"),
    *("reasoning_tokens", "cost_picodollars", "saved_cost_picodollars"),
)


def upgrade() -> None:
    """Add columns to the models, and the other tables."""
    extend_models()
    create_resources()
    create_measurements()
    op.create_table(
        "usage",
        sa.Column("day", sa.String, primary_key=True),
        sa.Column("caller", sa.String, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        *(sa.Column(name, COUNT, nullable=False) for name in COUNTS),
    )


def extend_models() -> None:
    """What there is to know of a model behind an API."""
    for column in (
        sa.Column("provider", sa.String, nullable=False, server_default=""),
        sa.Column("endpoint", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("pricing", sa.JSON),
        sa.Column("quality", sa.Float),
    ):
        op.add_column("models", column)


def create_resources() -> None:
    """Aliases and templates."""
    op.create_table(
        "aliases",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("targets", sa.JSON, nullable=False),
        sa.Column("strategy", sa.String),
        sa.Column("fallbacks", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("etag", sa.String, nullable=False),
    )
    op.create_table(
        "templates",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("format", sa.String, nullable=False),
        sa.Column("stop_tokens", sa.JSON, nullable=False),
        sa.Column("model_compatibility", sa.JSON, nullable=False),
        sa.Column("etag", sa.String, nullable=False),
    )


def create_measurements() -> None:
    """What is remembered of how models did."""
    op.create_table(
        "measurements",
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("length_class", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("samples", COUNT, nullable=False),
        sa.Column("first_token_ms", sa.Float),
        sa.Column("first_token_p95_ms", sa.Float),
        sa.Column("token_ms", sa.Float),
        sa.Column("error_rate", sa.Float, nullable=False),
        sa.Column("reward", sa.Float, nullable=False),
        sa.Column("rewards", sa.Float, nullable=False),
    )
