"""Owners, tags, limits and times of models; extras of imports; the log of changes; the identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add columns to the models, and three tables."""
    for column in (
        sa.Column("owner", sa.String, nullable=False, server_default=""),
        sa.Column("tags", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("limits", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("created", sa.Float, nullable=False, server_default="0"),
        sa.Column("updated", sa.Float, nullable=False, server_default="0"),
    ):
        op.add_column("models", column)
    op.create_table(
        "extras",
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "changes",
        sa.Column("sequence", COUNT, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("written", sa.Float, nullable=False),
    )
    op.create_table("identity", sa.Column("epoch", sa.String, primary_key=True))
