"""Models, aliases, templates and measurements, in a database and in memory.

Every change is one transaction. Reads are answered from memory, which follows what is durable, and
what other processes change in a database that they share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from llm_runner_router.registry import decisions
from llm_runner_router.registry.changes.journal import Journal
from llm_runner_router.registry.changes.listener import Listener
from llm_runner_router.registry.changes.log import Position, StoredChange
from llm_runner_router.registry.decisions import Change
from llm_runner_router.registry.importing import Import
from llm_runner_router.registry.loaded import Loaded
from llm_runner_router.registry.records import (
    Alias,
    ImportMode,
    ImportReport,
    MeasurementRow,
    ModelRecord,
    PromptTemplate,
)
from llm_runner_router.registry.stamps import Stamper
from llm_runner_router.registry.storage.database import Database
from llm_runner_router.registry.storage.measurement_table import MeasurementTable


class RegistryStore:
    """Belongs to one event loop. Use ``open``; close it when done.

    Methods that change something either take effect wholly and durably or raise; cancelling the
    caller does not stop a change that has begun. They raise UnavailableError where the database
    cannot be written. Where several processes share the database, each sees what the others have
    changed within a second, and nobody changes anything that he has not seen.
    """

    def __init__(self, database: Database, loaded: Loaded, clock: Callable[[], float]) -> None:
        self._database = database
        self._journal = Journal(database, loaded, clock)
        self._measured = MeasurementTable(database, loaded.measurements)
        self._listener = (
            Listener(database.location, self._journal.catch_up) if database.shared else None
        )
        self._stamper = Stamper(clock)

    @classmethod
    async def open(
        cls, place: Path | str | None, clock: Callable[[], float] = time.time
    ) -> RegistryStore:
        """Open or create the file, or the PostgreSQL of a URL; ``None`` keeps it in memory only.

        ``clock`` tells seconds since 1970. InvalidConfigError where it is no registry, is of a
        newer version, is in use, or cannot be reached.
        """
        database, loaded = await Database.open(place, Loaded.read)
        return cls(database, loaded, clock)

    @property
    def database(self) -> Database:
        """What the store writes to. It closes with the store."""
        return self._database

    @property
    def revision(self) -> int:
        """Grows with every change of models and aliases that this process sees."""
        return self._journal.revision

    @property
    def epoch(self) -> str:
        """Which registry this is: as long as it exists, wherever it moves."""
        return self._journal.epoch

    @property
    def sequence(self) -> int:
        """The number of the last change that this process sees; it never falls by itself."""
        return self._journal.log.sequence

    @property
    def position(self) -> Position:
        """Of who has seen what this process has."""
        return self._journal.log.position

    def __len__(self) -> int:
        return len(self._journal.content.models)

    def __contains__(self, model: str) -> bool:
        return model in self._journal.content.models

    def get(self, model: str) -> ModelRecord:
        """The record of ``model``; ModelNotFoundError where there is none."""
        return decisions.found(self._journal.content, model)

    def resolve(self, name: str) -> ModelRecord | None:
        """The model of that id, else the highest version of that name, where there is any.

        Versions are ordered as ``versions.key_of`` says.
        """
        content = self._journal.content
        return content.models.get(name) or content.models.get(content.versions.highest(name) or "")

    def models(self) -> Sequence[ModelRecord]:
        """All records in the order of their ids."""
        return self._journal.content.models.all()

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """At most ``limit`` records whose ids sort behind ``after``, in the order of ids."""
        return self._journal.content.models.page(after, limit)

    def alias(self, name: str) -> Alias | None:
        """The alias of that id, where there is one."""
        return self._journal.content.aliases.get(name)

    def aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        return self._journal.content.aliases.all()

    def template(self, name: str) -> PromptTemplate | None:
        """The template of that id, where there is one."""
        return self._journal.content.templates.get(name)

    def templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        return self._journal.content.templates.all()

    def extras(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """What imports said beyond our fields, by kind (``model``, ``template``) and id.

        What they said beyond all records is that of ``("registry", "")``.
        """
        return self._journal.content.extras

    def measurements(self) -> Sequence[MeasurementRow]:
        """What was saved last."""
        return self._measured.rows

    def changes_since(self, seen: Position) -> Sequence[StoredChange] | None:
        """The newest change of each model and alias behind ``seen``, in their order.

        ``None`` where they are forgotten, or where ``seen`` lies ahead, or in what was lost.
        """
        return self._journal.log.since(seen)

    async def changed(self, seen: Position) -> None:
        """Wait while ``seen`` is the present position. UnavailableError once the store closes.

        What has changed may be nothing that ``changes_since`` tells.
        """
        await self._journal.log.changed(seen)

    async def add(self, record: ModelRecord) -> ModelRecord:
        """Store a new record; it comes back with its etag and times.

        AlreadyExistsError where its id is that of a model or of an alias.
        """
        return await self._journal.commit(
            lambda content: decisions.add_model(content, record, self._stamper)
        )

    async def update(self, model: str, change: Change, etag: str = "") -> ModelRecord:
        """Replace a record by ``change(record)``.

        ConflictError where ``etag`` is given and is not the present one.
        """
        return await self._journal.commit(
            lambda content: decisions.update_model(content, model, change, etag, self._stamper)
        )

    async def remove(self, model: str) -> ModelRecord:
        """Forget a record; it comes back as it was. Aliases may go on naming it."""
        return await self._journal.commit(lambda content: decisions.remove_model(content, model))

    async def set_alias(self, alias: Alias) -> Alias:
        """Add an alias or replace it; it comes back with its new etag.

        AlreadyExistsError where a model has its id, InvalidRequestError where it names a model
        that is not registered, ConflictError where its etag is given and is not the present one.
        """
        return await self._journal.commit(
            lambda content: decisions.set_alias(content, alias, self._stamper)
        )

    async def remove_alias(self, name: str) -> Alias:
        """Forget an alias; it comes back as it was. ResourceNotFoundError where there is none."""
        return await self._journal.commit(lambda content: decisions.remove_alias(content, name))

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """Add a template or replace it; it comes back with its new etag.

        ConflictError where its etag is given and is not the present one.
        """
        return await self._journal.commit(
            lambda content: decisions.set_template(content, template, self._stamper)
        )

    async def remove_template(self, name: str) -> PromptTemplate:
        """Forget a template; it comes back as it was. ResourceNotFoundError where there is none."""
        return await self._journal.commit(lambda content: decisions.remove_template(content, name))

    async def import_all(
        self,
        models: Sequence[ModelRecord],
        templates: Sequence[PromptTemplate],
        extras: Mapping[tuple[str, str], Mapping[str, Any]],
        *,
        mode: ImportMode,
    ) -> ImportReport:
        """Take in all of them, or nothing.

        ``extras`` as ``extras()`` gives them, of these records and of the registry. A record that
        is there already and says the same stays as it is. AlreadyExistsError where it says
        something else and ``mode`` is KEEP, or where the id is that of an alias;
        InvalidRequestError for extras of a record that is not brought along, or that are no JSON.
        """
        return await self._journal.commit(
            lambda content: Import(content, extras, mode, self._stamper).run(models, templates)
        )

    async def save_measurements(self, rows: Sequence[MeasurementRow]) -> None:
        """Put ``rows`` in the place of what this process saved before."""
        await self._measured.save(rows)

    async def close(self) -> None:
        """Finish what is being written and let go of the database. May be called more than once."""
        if self._listener is not None:
            await self._listener.close()
        self._journal.log.close()
        await self._database.close()
