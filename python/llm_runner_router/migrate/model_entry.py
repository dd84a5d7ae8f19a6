"""A model of an old registry, as an entry of a registry file of 1.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_camel, to_snake

from llm_runner_router.errors import shorten
from llm_runner_router.migrate.draft import (
    NOT_SET,
    OLD_DEFAULT,
    UNKNOWN,
    Draft,
    MigratedEntry,
    is_set,
    unchanged,
)
from llm_runner_router.migrate.leaves import below
from llm_runner_router.migrate.model_format import (
    format_named,
    format_of,
    provider_fault,
    provider_name,
    source_fault,
    stated_format,
)
from llm_runner_router.migrate.parameters import move_parameters
from llm_runner_router.migrate.record_names import identity, move_names
from llm_runner_router.migrate.transformed import UNMAPPED
from llm_runner_router.old.model_names import (
    ASKED,
    MEASURED,
    OLD_KEYS,
    PARAMETERS,
    SETTINGS,
    spellings,
)
from llm_runner_router.old.model_settings import meant
from llm_runner_router.registry.checks.endpoint import KEY_OPTION
from llm_runner_router.registry.file_fields import CONFIG, MODEL
from llm_runner_router.types import ModelFormat

TEMPERATURE = 0.7
"""Of models that named none, in versions before 1.2."""

IN_CLEAR = "looks like a key in clear: put env:NAME or file:PATH into endpoint.apiKey instead"


def obstacle(old: object) -> str:
    """Why a record cannot become a model here; empty where it can."""
    if not isinstance(old, Mapping):
        return "is no object"
    if identity(old) is None:
        return "has neither a name nor an id"
    if not any(is_set(old.get(key)) for key in (*spellings("source"), "provider")):
        return "has neither a source nor a provider"
    return format_fault(old)


def format_fault(old: Mapping[str, Any]) -> str:
    """Why a model of that format, from that place, cannot be run here; empty where it can."""
    stated, kind = stated_format(old), format_of(old)
    if kind is None and is_set(stated):
        return f"is of a format that cannot be run here: {shorten(stated)}"
    if kind is ModelFormat.API or (kind is None and is_set(old.get("provider"))):
        return provider_fault(old)
    if kind is None:
        return "does not say of which format it is"
    return source_fault(old, kind)


def is_old(old: Mapping[str, Any]) -> bool:
    """Whether a record has anything of the shape before 1.2, or lacks what one of 1.2 has."""
    told = any(is_set(old.get(key)) for key in ("format", "provider"))
    return not (told and is_set(old.get("id"))) or any(key in OLD_KEYS for key in old)


def migrated_model(where: str, old: Mapping[str, Any]) -> MigratedEntry:
    """A record for which there is no ``obstacle``, in the shape of 1.2.

    ``where`` is its place in the input. InvalidRequestError where it says one thing twice.
    """
    if not is_old(old):
        return unchanged(old)
    draft = Draft(where, dict(old))
    draft.notes += [f"{where}.{place}: {IN_CLEAR}" for place in clear_keys(old)]
    draft.keep_unmapped()
    move_names(draft)
    move_format(draft, format_of(old) or ModelFormat.GGUF)
    move_source(draft)
    move_provider(draft)
    move_config(draft)
    move_capabilities(draft)
    move_performance(draft)
    move_rest(draft)
    return draft.finished()


def move_format(draft: Draft, kind: ModelFormat) -> None:
    """One word of ours; both keys for it must mean the same."""
    for key in spellings("format"):
        said = draft.taken(key)
        if said is not None:
            word = named(said)
            draft.put(key, ("format",), word, "" if said == word else f"{said!r} is {word} here")
    draft.add(("format",), kind.value, "told by the source or the provider")


def named(said: object) -> object:
    """Our word for a format; what is no format stays, for the check to refuse."""
    kind = format_named(said)
    return said if kind is None else kind.value


def move_source(draft: Draft) -> None:
    """Where the weights lie, or what the provider calls the model."""
    for key in spellings("source"):
        said = draft.taken(key)
        if said is not None:
            draft.put(key, ("source",), said)
    if draft.entry["format"] == ModelFormat.API.value and "source" not in draft.entry:
        move_asked(draft)


def move_asked(draft: Draft) -> None:
    """What the provider is asked for, where the model, its settings or its parameters say so."""
    for section in ("", "config", PARAMETERS):
        holder = draft.rest if not section else draft.rest.get(section)
        said = holder if isinstance(holder, Mapping) else {}
        key = next((key for key in ASKED if isinstance(said.get(key), str) and said[key]), None)
        if key is not None:
            draft.put(below(section, key), ("source",), said[key], "what the provider calls it")
            others = {name: value for name, value in said.items() if name != key}
            draft.rest = {**draft.rest, section: others} if section else others
            if section and not others:
                del draft.rest[section]
            return
    asked = shorten(draft.entry["id"])
    draft.notes.append(f"{draft.where}: the provider is asked for {asked}; source may say another")


def move_provider(draft: Draft) -> None:
    """Who answers for models behind an API; with others the word stays, and means nothing."""
    said = provider_name(draft.rest)
    given = draft.taken("provider")
    if given is None:
        return
    if draft.entry["format"] == ModelFormat.API.value:
        note = "" if said == given else f"{given!r} is {said} here"
        draft.put("provider", ("provider",), said, note)
    else:
        draft.keep("provider", (UNMAPPED, "provider"), given, "only of models behind an API")


def move_config(draft: Draft) -> None:
    """What the record has under ``config``, then what it says itself, then its parameters."""
    config = draft.taken("config")
    for key, value in (config if isinstance(config, Mapping) else {}).items():
        name = CONFIG.names.get(key)
        if name is None:
            draft.keep(below("config", key), ("config", key), value, UNKNOWN)
        else:
            draft.put(below("config", key), ("config", to_camel(name)), meant(name, value))
    if config is not None and not (isinstance(config, Mapping) and config):
        draft.put("config", ("config",), config)
    for old, new in SETTINGS.items():
        if old in draft.rest:
            draft.put(old, ("config", new), meant(to_snake(new), draft.rest.pop(old)))
    move_parameters(draft)
    if draft.entry["format"] != ModelFormat.API.value:
        draft.add(("config", "temperature"), TEMPERATURE, OLD_DEFAULT)
    if PARAMETERS in draft.entry:
        draft.entry[PARAMETERS] = draft.entry.pop(PARAMETERS)


def move_capabilities(draft: Draft) -> None:
    """What a model can do."""
    said = draft.taken("capabilities")
    if said is not None:
        draft.put("capabilities", ("capabilities",), said)
    draft.add(("capabilities",), ["text-generation"], OLD_DEFAULT)


def move_performance(draft: Draft) -> None:
    """What was declared of a model, 0 and ``null`` among it."""
    said = draft.taken("performance")
    if said is not None:
        own = dict(said) if isinstance(said, Mapping) else said
        draft.put("performance", ("performance",), own)
    for old, new in MEASURED.items():
        if old in draft.rest:
            draft.put(old, ("performance", new), draft.rest.pop(old))
        draft.add(("performance", new), None, NOT_SET)


def move_rest(draft: Draft) -> None:
    """What this version does not know stays as it is."""
    draft.move_rest(MODEL.names)


def clear_keys(old: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The places that may hold a key; what stands under ``endpoint`` the registry checks itself."""
    for key, value in old.items():
        place = below(path, key)
        if place in {"endpoint", UNMAPPED} or not is_set(value):
            continue
        if KEY_OPTION.fullmatch(to_kebab(key)):
            yield place
        elif isinstance(value, Mapping):
            yield from clear_keys(value, place)


def to_kebab(key: str) -> str:
    """``apiKey`` and ``api_key`` as ``api-key``."""
    split = "".join(f"-{letter}" if letter.isupper() else letter for letter in key)
    return split.lower().replace("_", "-").strip("-")
