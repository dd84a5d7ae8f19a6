"""Models, aliases, templates and measurements, in SQLite and in memory.

Every change is one transaction. One service at a time owns a file, so reads are answered from
memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete, insert

from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidRequestError,
    ModelNotFoundError,
    ResourceNotFoundError,
    shorten,
)
from llm_runner_router.registry import schema
from llm_runner_router.registry.collection import Collection, R
from llm_runner_router.registry.content import ALIASES, MODELS, TEMPLATES, Content
from llm_runner_router.registry.database import Database
from llm_runner_router.registry.records import Alias, MeasurementRow, ModelRecord, PromptTemplate

T = TypeVar("T")
Change = Callable[[ModelRecord], ModelRecord]


class RegistryStore:
    """Belongs to one event loop. Use ``open``; close it when done.

    Methods that change something either take effect wholly and durably or raise; cancelling the
    caller does not stop a change that has begun.
    """

    def __init__(self, database: Database, content: Content) -> None:
        self._database = database
        self._models = Collection(database, MODELS, content.models)
        self._aliases = Collection(database, ALIASES, content.aliases)
        self._templates = Collection(database, TEMPLATES, content.templates)
        self._measurements = content.measurements
        self._revision = 0

    @classmethod
    async def open(cls, path: Path | None) -> RegistryStore:
        """Open or create the file; ``None`` keeps the registry in memory only.

        InvalidConfigError where the file is no registry, is of a newer version, or is in use.
        """
        return cls(*await Database.open(path, Content.load))

    @property
    def database(self) -> Database:
        """What the store writes to. It closes with the store."""
        return self._database

    @property
    def revision(self) -> int:
        """Grows with every change of models and aliases."""
        return self._revision

    def __len__(self) -> int:
        return len(self._models)

    def __contains__(self, model: str) -> bool:
        return model in self._models

    def get(self, model: str) -> ModelRecord:
        """The record of ``model``; ModelNotFoundError where there is none."""
        record = self._models.get(model)
        if record is None:
            raise ModelNotFoundError(model)
        return record

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """At most ``limit`` records whose ids sort behind ``after``, in the order of ids."""
        return self._models.page(after, limit)

    def alias(self, name: str) -> Alias | None:
        """The alias of that id, where there is one."""
        return self._aliases.get(name)

    def aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        return self._aliases.page("", len(self._aliases))

    def template(self, name: str) -> PromptTemplate | None:
        """The template of that id, where there is one."""
        return self._templates.get(name)

    def templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        return self._templates.page("", len(self._templates))

    def measurements(self) -> Sequence[MeasurementRow]:
        """What was saved last."""
        return self._measurements

    async def add(self, record: ModelRecord) -> ModelRecord:
        """Store a new record; it comes back with its etag.

        AlreadyExistsError where its id is that of a model or of an alias.
        """
        return await self._database.exclusively(lambda: self._add(record))

    async def update(self, model: str, change: Change, etag: str = "") -> ModelRecord:
        """Replace a record by ``change(record)``.

        ConflictError where ``etag`` is given and is not the present one.
        """
        return await self._database.exclusively(lambda: self._update(model, change, etag))

    async def remove(self, model: str) -> ModelRecord:
        """Forget a record; it comes back as it was. Aliases may go on naming it."""
        return await self._database.exclusively(lambda: self._remove(model))

    async def set_alias(self, alias: Alias) -> Alias:
        """Add an alias or replace it; it comes back with its new etag.

        AlreadyExistsError where a model has its id, InvalidRequestError where it names a model
        that is not registered, ConflictError where its etag is given and is not the present one.
        """
        return await self._database.exclusively(lambda: self._set_alias(alias))

    async def remove_alias(self, name: str) -> Alias:
        """Forget an alias; it comes back as it was. ResourceNotFoundError where there is none."""
        return await self._database.exclusively(
            lambda: self._counted(dropped(self._aliases, name, "alias"))
        )

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """Add a template or replace it; it comes back with its new etag.

        ConflictError where its etag is given and is not the present one.
        """
        return await self._database.exclusively(lambda: self._set_template(template))

    async def remove_template(self, name: str) -> PromptTemplate:
        """Forget a template; it comes back as it was. ResourceNotFoundError where there is none."""
        return await self._database.exclusively(lambda: dropped(self._templates, name, "template"))

    async def save_measurements(self, rows: Sequence[MeasurementRow]) -> None:
        """Put ``rows`` in the place of what was saved before."""
        await self._database.exclusively(lambda: self._save_measurements(tuple(rows)))

    async def close(self) -> None:
        """Finish what is being written and let go of the file. May be called more than once."""
        await self._database.close()

    async def _add(self, record: ModelRecord) -> ModelRecord:
        for word, taken in (("model", self._models), ("alias", self._aliases)):
            if record.id in taken:
                raise AlreadyExistsError(f"{word} {shorten(record.id)} is registered already")
        return await self._counted(self._models.put(record))

    async def _update(self, model: str, change: Change, etag: str) -> ModelRecord:
        present = self.get(model)
        check_etag("model", present, model, etag)
        return await self._counted(self._models.put(replace(change(present), id=model)))

    async def _remove(self, model: str) -> ModelRecord:
        present = self.get(model)
        await self._counted(self._models.drop(model))
        return present

    async def _set_alias(self, alias: Alias) -> Alias:
        if alias.id in self._models:
            raise AlreadyExistsError(f"model {shorten(alias.id)} is registered already")
        check_etag("alias", self._aliases.get(alias.id), alias.id, alias.etag)
        for field, model in named_models(alias):
            if model not in self._models:
                raise InvalidRequestError(field, model, "the id of a registered model")
        return await self._counted(self._aliases.put(alias))

    async def _set_template(self, template: PromptTemplate) -> PromptTemplate:
        present = self._templates.get(template.id)
        check_etag("template", present, template.id, template.etag)
        return await self._templates.put(template)

    async def _save_measurements(self, rows: Sequence[MeasurementRow]) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(schema.measurements))
            if rows:
                values = [asdict(row) for row in rows]
                await connection.execute(insert(schema.measurements), values)
        self._measurements = rows

    async def _counted(self, change: Awaitable[T]) -> T:
        result = await change
        self._revision += 1
        return result


def named_models(alias: Alias) -> Sequence[tuple[str, str]]:
    """Every model that an alias names, behind the field that does."""
    return [
        *((f"targets[{n}].model", target.model) for n, target in enumerate(alias.targets)),
        *((f"fallbacks[{n}]", model) for n, model in enumerate(alias.fallbacks)),
        *((f"rules[{n}].model", rule.model) for n, rule in enumerate(alias.rules)),
    ]


def check_etag(
    word: str, present: ModelRecord | Alias | PromptTemplate | None, name: str, etag: str
) -> None:
    """ConflictError where an etag is given and is not the present one."""
    now = "" if present is None else present.etag
    if etag and etag != now:
        raise ConflictError(f"{word} {shorten(name)} was changed meanwhile: its etag is {now!r}")


async def dropped(records: Collection[R], name: str, word: str) -> R:
    """The record that is forgotten; ResourceNotFoundError where there is none."""
    present = records.get(name)
    if present is None:
        raise ResourceNotFoundError(word, name)
    await records.drop(name)
    return present
