"""Adding models as programs of v1.0 do: at each start, to a registry that may know them already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import PurePath
from typing import Any

from llm_runner_router.errors import AlreadyExistsError, ModelNotFoundError, shorten
from llm_runner_router.registry.records import ModelRecord, ModelView
from llm_runner_router.router_registry import RegistryFace

UP = ".."
MODELS, CACHE = "models", "cache"


async def added(registry: RegistryFace, wanted: ModelRecord) -> ModelView:
    """Register a model, or leave as it is a registered one that all of ``wanted`` is true of.

    AlreadyExistsError names the first thing that is not.
    """
    try:
        return await registry.register_model(wanted)
    except AlreadyExistsError as taken:
        try:
            present = await registry.get_model(wanted.id)
        except ModelNotFoundError:  # the id is that of an alias
            raise taken from None
    said = replace(wanted, name="" if wanted.name == wanted.id else wanted.name)
    for path, here, there in differences(said, present.record):
        raise AlreadyExistsError(
            f"model {shorten(wanted.id)} is registered already, and its {path} is "
            f"{shorten(here)}, not {shorten(there)}"
        )
    return present


def differences(wanted: Any, present: Any, path: str = "") -> Iterator[tuple[str, object, object]]:  # noqa: ANN401
    """Each field in which ``present`` is not what ``wanted`` says: its path, and both values.

    A default says nothing.
    """
    for field in fields(wanted):
        name, said = f"{path}{field.name}", getattr(wanted, field.name)
        found = getattr(present, field.name)
        if says_nothing(field, said):
            continue
        if is_dataclass(said) and is_dataclass(found):
            yield from differences(said, found, f"{name}.")
        elif not (name == "source" and same_source(found, said)) and plain(found) != plain(said):
            yield name, found, said


def says_nothing(field: Field[Any], value: object) -> bool:
    """Whether a field has its default, or nothing."""
    made = MISSING if field.default_factory is MISSING else field.default_factory()
    return value in (None, "") or plain(value) in (plain(field.default), plain(made))


def plain(value: object) -> object:
    """Lists are compared with tuples."""
    return tuple(value) if isinstance(value, list) else value


def same_source(present: str, wanted: str) -> bool:
    """Whether a relative path may be the whole one that the registry has made of it.

    A migration moves what lay in ``models/`` to the cache there.
    """
    path = PurePath(wanted)
    parts = tuple(part for part in path.parts if part != UP)
    if not parts or path.is_absolute():
        return False
    moved = (*parts[:-1], CACHE, parts[-1]) if parts[-2:-1] == (MODELS,) else parts
    return ends_with(present, parts) or ends_with(present, moved)


def ends_with(path: str, parts: tuple[str, ...]) -> bool:
    """Whether the last parts of a path are these."""
    return PurePath(path).parts[-len(parts) :] == parts
