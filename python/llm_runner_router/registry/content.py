"""What a registry holds, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.collection import Collection
from llm_runner_router.registry.entries import Document, Entry, read_extras, read_records
from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate
from llm_runner_router.registry.versions import Versions


class Content:
    """Everything by its id. It follows what is durable."""

    def __init__(
        self,
        models: dict[str, ModelRecord],
        aliases: dict[str, Alias],
        templates: dict[str, PromptTemplate],
        extras: dict[tuple[str, str], Document],
    ) -> None:
        self.models: Collection[ModelRecord] = Collection(models)
        self.aliases: Collection[Alias] = Collection(aliases)
        self.templates: Collection[PromptTemplate] = Collection(templates)
        self.versions = Versions(models)
        self._extras = extras

    @classmethod
    async def load(cls, connection: AsyncConnection) -> Content:
        """Read it all."""
        return cls(
            await read_records(connection, "model"),
            await read_records(connection, "alias"),
            await read_records(connection, "template"),
            await read_extras(connection),
        )

    @property
    def extras(self) -> Mapping[tuple[str, str], Document]:
        """What imports said beyond the records, by kind and id."""
        return dict(self._extras)

    def extras_of(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """What an import said of a thing beyond its record."""
        return self._extras.get((kind, name))

    def take(self, entries: Iterable[Entry]) -> None:
        """Bring in how things are now."""
        for entry in entries:
            self._take(entry)
            if entry.extras is None:
                self._extras.pop((entry.kind, entry.id), None)
            else:
                self._extras[entry.kind, entry.id] = entry.extras

    def _take(self, entry: Entry) -> None:
        match entry.record:
            case ModelRecord() as record:
                if record.id not in self.models:
                    self.versions.add(record.id)
                self.models.put(record)
            case Alias() as alias:
                self.aliases.put(alias)
            case PromptTemplate() as template:
                self.templates.put(template)
            case None:
                self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        if entry.kind == "model" and entry.id in self.models:
            self.versions.drop(entry.id)
            self.models.drop(entry.id)
        elif entry.kind == "alias":
            self.aliases.drop(entry.id)
        elif entry.kind == "template":
            self.templates.drop(entry.id)
