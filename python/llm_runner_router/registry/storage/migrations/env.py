"""Run by Alembic: the caller's connection is used, within the transaction that it has begun."""

from __future__ import annotations

from alembic import context

from llm_runner_router.registry.storage.schema import metadata, revision

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=revision.name,
)
context.run_migrations()
