"""Models as programs of v1.0 described them, under today's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from llm_runner_router.errors import InvalidRequestError, shorten
from llm_runner_router.hidden import shown_address
from llm_runner_router.old.model_names import (
    ASKED,
    FIELDS,
    MEASURED,
    MEASURED_NOW,
    OTHER_SETTINGS,
    PARAMETERS,
    SETTINGS,
)
from llm_runner_router.old.model_settings import meant
from llm_runner_router.old.model_words import format_word, provider_word
from llm_runner_router.record_fields import MAX_LENGTH
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.request_values import check_names, named, snake
from llm_runner_router.types import ModelFormat

STOP = "stop"

KNOWN = frozenset({field.name for field in fields(ModelConfig)} | {MAX_LENGTH})
"""The settings of today."""


OF_WEIGHTS = (ModelFormat.GGUF, ModelFormat.HF)
"""The formats of models that no provider answers for; v1.0 let them name one, such as local."""


def in_programs(names: Mapping[str, str]) -> Mapping[str, str]:
    """Names as programs spell them."""
    return {snake(old): snake(new) for old, new in names.items()}


OLD_FIELDS = in_programs(FIELDS)
OLD_SETTINGS = in_programs(SETTINGS)
OLD_PARAMETERS = in_programs(OTHER_SETTINGS)


@dataclass(frozen=True, slots=True)
class RenamedModel:
    """``values`` under today's names in snake_case; ``renamed`` are the old ones that were found.

    What each is to be replaced by is said in words.
    """

    values: Mapping[str, Any]
    renamed: Mapping[str, str]


def renamed_model(model: object, values: Mapping[str, Any] | None = None) -> RenamedModel:
    """A model as v1.0 described it: a mapping, or its id, with ``values`` on top.

    Its id is its name where there is no other, as in v1.0, and an empty text says nothing.
    InvalidRequestError where an old and a new name say different things, or a name is not known.
    """
    given = fields_of(model, values or {})
    told: dict[str, str] = {}
    given.setdefault("id", given.get("name"))
    if "display_name" in given:
        given.pop("name", None)
    for old in MEASURED:
        if given.pop(old, None) is not None:
            told[old] = MEASURED_NOW
    use_words(given, told)
    for old, new in OLD_FIELDS.items():
        if old in given:
            told[old] = new
            put(given, new, given.pop(old), old)
    if given.get("format") in OF_WEIGHTS and given.pop("provider", None) is not None:
        told["provider"] = "it for models behind an API alone"
    if "provider" in given and "source" not in given:
        put_asked(given, told)
    config = config_of(given, told)
    return RenamedModel({**given, "config": config} if config else given, told)


def fields_of(model: object, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a model that say something, ``values`` on top."""
    said = {} if model is None else {"id": model} if isinstance(model, str) else model
    allowed = "the fields of a model by name"
    both = named(said, "model", allowed) | named(values, "model", allowed)
    return {name: value for name, value in both.items() if value != ""}


def use_words(given: dict[str, Any], told: dict[str, str]) -> None:
    """Let formats and providers be called as today; ``told`` gets what they were called."""
    for key in ("type", "format", "provider"):
        said = given.get(key)
        word = provider_word(said) if key == "provider" else known_format(said)
        if word != said:
            told[f"{key} {shorten(str(said))}"] = str(word)
            given[key] = word


def known_format(said: object) -> object:
    """Today's word for a format; what means none stays, to be refused as it was said."""
    word = format_word(said)
    return word if word in tuple(ModelFormat) else said


def put_asked(given: dict[str, Any], told: dict[str, str]) -> None:
    """What the provider is asked for, where the model, its settings or its parameters say so."""
    for section in ("", "config", PARAMETERS):
        said = given.get(section) if section else given
        found = said if isinstance(said, Mapping) else {}
        key = next((key for key in found if key in ASKED and isinstance(found[key], str)), None)
        if key is not None:
            told[f"{section}.{key}" if section else key] = "source"
            given["source"] = found[key]
            if section:
                given[section] = {name: found[name] for name in found if name != key}
            else:
                del given[key]
            return


def config_of(given: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    """The settings of a model, taken out of ``given``; ``told`` gets the old names among them."""
    config = own_config(given.pop("config", {}))
    parameters = given.pop(PARAMETERS, None)
    if parameters is not None:
        told[PARAMETERS] = "config"
        put_parameters(config, named(parameters, PARAMETERS, "settings by name"), told)
    for old, new in OLD_SETTINGS.items():
        if old in given:
            told[old] = f"config.{new}"
            put(config, new, meant(new, given.pop(old)), old)
    return config


def own_config(config: object) -> dict[str, Any]:
    """The settings that a model has under today's names."""
    if not isinstance(config, ModelConfig):
        given = named(config, "config", "settings by name")
        return {name: meant(name, value) for name, value in given.items()}
    said = {field: getattr(config, field.name) for field in fields(config)}
    return {field.name: value for field, value in said.items() if value != field.default}


def put_parameters(
    config: dict[str, Any], parameters: Mapping[str, Any], told: dict[str, str]
) -> None:
    """Let ``config`` have parameters, of which other tools have other names."""
    check_names(parameters, KNOWN | OLD_PARAMETERS.keys(), f"{PARAMETERS}.")
    for name, value in parameters.items():
        setting, path = OLD_PARAMETERS.get(name, name), f"{PARAMETERS}.{name}"
        if setting != name:
            told[path] = f"config.{setting}"
        alone = setting == STOP and isinstance(value, str)
        put(config, setting, [value] if alone else meant(setting, value), path)


def put(into: dict[str, Any], name: str, value: object, old: str) -> None:
    """Set a field that is not set yet, or says the same."""
    if name in into and into[name] != value:
        allowed = f"the same as {name}, or one of them alone"
        raise InvalidRequestError(old, shown_address(value), allowed)
    into[name] = value
