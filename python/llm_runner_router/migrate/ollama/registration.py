"""What the registry lacks of Ollama's models, and registering it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from llm_runner_router.backend import Backend
from llm_runner_router.errors import (
    RouterError,
    UnavailableError,
    UnsupportedError,
    shorten,
)
from llm_runner_router.migrate.ollama.changes import PATHS, changes_of
from llm_runner_router.migrate.ollama.identity import same_model, way_of
from llm_runner_router.migrate.ollama.model import FoundModel, Model, RefusedModel, Way
from llm_runner_router.registry.records import Alias, AliasTarget, ModelQuery, ModelRecord

UNREAD = "the service cannot tell what it takes in memory: are its files on that machine?"

ADAPTER_LOST = (
    f"{UNREAD} It has an adapter, which would be lost if the path of its weights were registered"
)


class Fate(StrEnum):
    """What becomes of a model."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of one model of Ollama.

    ``id`` is that of the registered model, ``alias`` the one that is set beside it, if any.
    ``model`` is what is to be registered, ``None`` where nothing is; ``record`` what a registered
    one becomes, with the etag that it has now.
    """

    name: str
    fate: Fate
    id: str = ""
    way: Way | None = None
    alias: str | None = None
    notes: Sequence[str] = ()
    model: FoundModel | None = None
    record: ModelRecord | None = None

    @property
    def changes(self) -> bool:
        """Whether there is something to be done."""
        return self.fate in (Fate.ADDED, Fate.UPDATED) or self.alias is not None

    @property
    def source(self) -> str | None:
        """That of the record as it will be, where there is something to be done with it."""
        record = self.record if self.model is None else self.model.record
        return None if record is None else record.source


@dataclass(frozen=True, slots=True)
class Registered:
    """Models and aliases of the registry, by their ids."""

    models: Mapping[str, ModelRecord]
    aliases: Mapping[str, Alias]


async def registered(backend: Backend) -> Registered:
    """What there is now."""
    page = await backend.list_models(ModelQuery())
    views = list(page.models)
    while page.next_page_token:
        page = await backend.list_models(ModelQuery(page_token=page.next_page_token))
        views += page.models
    aliases = await backend.list_aliases()
    return Registered(
        {view.record.id: view.record for view in views}, {alias.id: alias for alias in aliases}
    )


def planned(models: Iterable[Model], present: Registered) -> list[Line]:
    """What is to be done; of what is registered already, see ``changes_of``."""
    return [
        Line(model.name, Fate.FAILED, notes=(model.reason,))
        if isinstance(model, RefusedModel)
        else line_of(model, present)
        for model in models
    ]


def line_of(model: FoundModel, present: Registered) -> Line:
    """One model. It may be registered already, also under its name without a tag."""
    for name in (model.name, model.alias):
        record = present.models.get(name) if name is not None else None
        if record is not None and same_model(record, model):
            line = line_of_present(model, record)
            return line if name == model.alias else with_alias(line, model, present)
    if model.name in present.aliases or model.name in present.models:
        return Line(model.name, Fate.FAILED, notes=(taken(model.name, present),))
    line = Line(model.name, Fate.ADDED, model.name, model.way, notes=model.notes, model=model)
    return with_alias(line, model, present)


def line_of_present(model: FoundModel, record: ModelRecord) -> Line:
    """One that is registered already."""
    found = changes_of(record, model)
    fate = Fate.UNCHANGED if found.record is None else Fate.UPDATED
    way = way_of(record)
    return Line(model.name, fate, record.id, way, notes=found.notes, record=found.record)


def with_alias(line: Line, model: FoundModel, present: Registered) -> Line:
    """``line`` with the alias that is missing, or a note on why it stays so."""
    if model.alias is None:
        return line
    alias = present.aliases.get(model.alias)
    if alias is not None and [target.model for target in alias.targets] == [model.name]:
        return line
    if alias is not None or model.alias in present.models:
        note = f"no alias {model.alias}: {taken(model.alias, present)}"
        return replace(line, notes=(*line.notes, note))
    return replace(line, alias=model.alias)


def taken(name: str, present: Registered) -> str:
    """Whose an id is."""
    if name in present.aliases:
        targets = ", ".join(target.model for target in present.aliases[name].targets)
        return f"{shorten(name)} is an alias of {shorten(targets, 200)}"
    source = present.models[name].source
    return f"{shorten(name)} is registered with another source: {shorten(source, 200)}"


async def register(backend: Backend, lines: Sequence[Line]) -> list[Line]:
    """Do what is planned, model by model; one that fails does not keep the others back.

    UnavailableError where the service has gone: what is registered stays, and may be gone on with.
    """
    return [await done(backend, line) if line.changes else line for line in lines]


async def done(backend: Backend, line: Line) -> Line:
    """Register or update one model, and then set its alias.

    ConflictError, told as all others, where the record has changed since it was looked at.
    """
    try:
        if line.record is not None:
            await backend.update_model(line.record, PATHS)
        if line.model is not None:
            await backend.register_model(line.model.record)
            line = await found_there(backend, line, line.model)
        if line.alias is not None:
            await backend.set_alias(Alias(line.alias, (AliasTarget(line.id),)))
    except UnavailableError:
        raise
    except RouterError as error:
        return replace(line, fate=Fate.FAILED, notes=(*line.notes, error.message))
    return line


async def found_there(backend: Backend, line: Line, model: FoundModel) -> Line:
    """``line``, once the service finds the file that it is to run; else with a note.

    A service that reads another store is given the path of the weights, if that helps;
    UnsupportedError, and the model is registered no more, where that would lose an adapter.
    """
    if model.weights is None or await is_read(backend, line.id):
        return line
    if model.adapted:
        await backend.unregister_model(line.id)
        raise UnsupportedError(ADAPTER_LOST)
    named = replace(model.record, source=str(model.weights))
    if named.source != model.record.source:
        await backend.update_model(named, ("source",))
        if await is_read(backend, line.id):
            return replace(line, model=replace(model, record=named))
        await backend.update_model(model.record, ("source",))
    return replace(line, notes=(*line.notes, UNREAD))


async def is_read(backend: Backend, model: str) -> bool:
    """Whether the service can tell what the model takes in memory, and so has read its file."""
    return (await backend.get_model(model)).memory is not None
