"""What an import of records makes of a registry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TypeVar

from llm_runner_router.errors import AlreadyExistsError, InvalidRequestError, shorten
from llm_runner_router.registry.changes.log import Kind
from llm_runner_router.registry.content import Content
from llm_runner_router.registry.entries import Document, Entry, Key
from llm_runner_router.registry.records import (
    ImportMode,
    ImportReport,
    ModelRecord,
    PromptTemplate,
)
from llm_runner_router.registry.stamps import Stamper, unstamped

R = TypeVar("R", ModelRecord, PromptTemplate)
Extras = Mapping[tuple[str, str], Document]

MEASURED = "performance"
"""The part of a model's extras that says what was measured of it."""

REGISTRY: Key = ("registry", "")
"""Whom extras belong to that are those of no record."""


@dataclass(slots=True)
class Import:
    """Collects entries and says what becomes of each record. Decides, and writes nothing."""

    content: Content
    extras: Extras
    mode: ImportMode
    stamper: Stamper
    entries: list[Entry] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def run(
        self, models: Sequence[ModelRecord], templates: Sequence[PromptTemplate]
    ) -> tuple[Sequence[Entry], ImportReport]:
        """The entries to write, and what they are.

        AlreadyExistsError where an id stands for something else already, InvalidRequestError for
        extras of nothing that there is, or that are no JSON.
        """
        for model in distinct("model", models):
            if model.id in self.content.aliases:
                raise AlreadyExistsError(f"alias {shorten(model.id)} is registered already")
            self._take("model", model, self.content.models.get(model.id))
        for template in distinct("template", templates):
            self._take("template", template, self.content.templates.get(template.id))
        self._take_rest({("model", m.id) for m in models} | {("template", t.id) for t in templates})
        report = ImportReport(tuple(self.added), tuple(self.replaced), tuple(self.unchanged))
        return self.entries, report

    def _take(self, kind: Kind, record: R, present: R | None) -> None:
        word, before = f"{kind} {record.id}", self.content.extras_of(kind, record.id)
        extras = checked_extras((kind, record.id), self.extras.get((kind, record.id)))
        if present is None:
            self.added.append(word)
        elif unstamped(record) == unstamped(present) and self._says_no_more(extras, before):
            self.unchanged.append(word)
            return
        elif self.mode is ImportMode.KEEP:
            raise AlreadyExistsError(difference(word, record, present))
        else:
            self.replaced.append(word)
        stamped = self.stamper.stamped(record, present)
        self.entries.append(Entry(kind, record.id, stamped, extras))

    def _says_no_more(self, extras: Document | None, before: Document | None) -> bool:
        """Whether an import adds nothing to what was kept of a record.

        What was measured changes from one export to the next; only a replacement is about that.
        """
        if self.mode is ImportMode.KEEP:
            extras, before = unmeasured(extras), unmeasured(before)
        return extras in (None, {}, before)

    def _take_rest(self, taken: set[tuple[str, str]]) -> None:
        """Extras of no record of this import."""
        for key, document in self.extras.items():
            if key == REGISTRY:
                self._take_registry(document)
            elif key not in taken:
                raise InvalidRequestError("extras", key, "kind and id of a record of the import")

    def _take_registry(self, document: Document) -> None:
        before = self.content.extras_of(*REGISTRY) or {}
        kept = before if self.mode is ImportMode.KEEP else {}
        after = {**kept, **{key: value for key, value in document.items() if key not in kept}}
        if after != before:
            self.entries.append(Entry(*REGISTRY, None, checked_extras(REGISTRY, after)))


def unmeasured(document: Document | None) -> Document:
    """``document`` without what it says of performance."""
    return {key: value for key, value in (document or {}).items() if key != MEASURED}


def checked_extras(key: tuple[str, str], document: Document | None) -> Document | None:
    """``document`` as it will be read again; nothing where it says nothing."""
    if not document:
        return None
    try:
        loaded: Document = json.loads(json.dumps(document, allow_nan=False))
    except (ValueError, TypeError, RecursionError) as error:
        name = f"extras of {' '.join(key).strip()}"
        raise InvalidRequestError(name, document, f"JSON ({error})") from None
    return loaded


def distinct(word: str, records: Iterable[R]) -> Sequence[R]:
    """Each record once. AlreadyExistsError where two differ under one id."""
    found: dict[str, R] = {}
    for record in records:
        first = found.setdefault(record.id, record)
        if unstamped(first) != unstamped(record):
            raise AlreadyExistsError(difference(f"{word} {record.id}", record, first))
    return list(found.values())


def difference(word: str, record: R, present: R) -> str:
    """Both, and where they differ first."""
    mine, other = unstamped(record), unstamped(present)
    kind, _, name = word.partition(" ")
    text = f"{kind} {shorten(name)} is there already and differs"
    for part in fields(record):
        here, there = getattr(other, part.name), getattr(mine, part.name)
        if here != there:
            return (
                f"{text}: its {part.name} is {shorten(here)}, that of the import {shorten(there)}"
            )
    return f"{text} in what the import says beyond its fields"
