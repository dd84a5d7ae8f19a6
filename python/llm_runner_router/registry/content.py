"""What a registry file holds, apart from its usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry import schema
from llm_runner_router.registry.collection import Kind
from llm_runner_router.registry.records import Alias, MeasurementRow, ModelRecord, PromptTemplate
from llm_runner_router.registry.rows import (
    alias_of,
    alias_row,
    measurement_of,
    model_of,
    model_row,
    template_of,
    template_row,
)

MODELS = Kind(schema.models, model_row, model_of)
ALIASES = Kind(schema.aliases, alias_row, alias_of)
TEMPLATES = Kind(schema.templates, template_row, template_of)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything by its id."""

    models: dict[str, ModelRecord]
    aliases: dict[str, Alias]
    templates: dict[str, PromptTemplate]
    measurements: Sequence[MeasurementRow]

    @classmethod
    async def load(cls, connection: AsyncConnection) -> Content:
        """Read it all."""
        rows = (await connection.execute(select(schema.measurements))).mappings().all()
        return cls(
            await MODELS.load(connection),
            await ALIASES.load(connection),
            await TEMPLATES.load(connection),
            tuple(measurement_of(dict(row)) for row in rows),
        )
