"""Models as programs of v1.0 described them, under today's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.request_values import named

RENAMED: Mapping[str, str] = {"path": "source", "type": "format", "display_name": "name"}
SETTINGS: Mapping[str, str] = {
    "context_length": "context_length",
    "default_temperature": "temperature",
}
"""Settings that stood beside the others; they belong to ``config``, as all ``parameters`` do."""

MEASURED = frozenset({"speed", "memory"})
"""What was declared and is measured now."""

MEASURED_NOW = "the performance that get_model has measured"


@dataclass(frozen=True, slots=True)
class RenamedModel:
    """``values`` under today's names in snake_case; ``renamed`` are the old ones that were found.

    What each is to be replaced by is said in words.
    """

    values: Mapping[str, Any]
    renamed: Mapping[str, str]


def renamed_model(values: Mapping[str, Any]) -> RenamedModel:
    """A model as v1.0 described it. Its id is that of ``values``, or its name as in v1.0.

    InvalidRequestError where an old and a new name say different things.
    """
    given = named(values, "model", "the fields of a model by name")
    told: dict[str, str] = {}
    given.setdefault("id", given.get("name"))
    if "display_name" in given:
        given.pop("name", None)
    for old in MEASURED & given.keys():
        told[old] = MEASURED_NOW
        del given[old]
    for old, new in RENAMED.items():
        if old in given:
            told[old] = new
            put(given, new, given.pop(old), old)
    config = config_of(given, told)
    return RenamedModel({**given, "config": config} if config else given, told)


def config_of(given: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    """The settings of a model, taken out of ``given``; ``told`` gets the old names among them."""
    config = named(given.pop("config", {}), "config", "settings by name")
    parameters = given.pop("parameters", None)
    if parameters is not None:
        told["parameters"] = "config"
        for name, value in named(parameters, "parameters", "settings by name").items():
            put(config, name, value, f"parameters.{name}")
    for old, new in SETTINGS.items():
        if old in given:
            told[old] = f"config.{new}"
            put(config, new, given.pop(old), old)
    return config


def put(into: dict[str, Any], name: str, value: object, old: str) -> None:
    """Set a field that is not set yet, or says the same."""
    if name in into and into[name] != value:
        raise InvalidRequestError(old, value, f"the same as {name}, or one of them alone")
    into[name] = value
