"""Configurations of LLM Runner Router 0.x to 1.1: their flat settings in today's tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_snake

from llm_runner_router.config.tree import SECTIONS, Config
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.hidden import hidden
from llm_runner_router.old.settings import OLD_SETTINGS
from llm_runner_router.old.values import converted

SPELLINGS = {to_snake(key): key for key in OLD_SETTINGS} | {key: key for key in OLD_SETTINGS}
"""Every spelling of an old key, and the key as files spell it."""

NO_SETTING = "_"
"""What keys of the top level begin with that say nothing to this version, such as ``_comment``."""


@dataclass(frozen=True, slots=True)
class NestedSettings:
    """``values`` by sections; ``renamed`` are the old keys found, and where each is now."""

    values: Mapping[str, Any]
    renamed: Mapping[str, str]


def nested_settings(values: object) -> NestedSettings:
    """``values`` with flat settings of older versions in their sections.

    An old key with ``None`` says nothing. InvalidConfigError names an old key whose value is wrong,
    or another than that of the new key beside it. All other keys stay for the check that follows.
    """
    if not isinstance(values, Mapping):
        raise InvalidConfigError("configuration", hidden(values), "an object of settings")
    sections: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if key not in SPELLINGS and not str(key).startswith(NO_SETTING)
    }
    renamed: dict[str, str] = {}
    for key in SPELLINGS.keys() & values.keys():
        section, name = OLD_SETTINGS[SPELLINGS[key]]
        renamed[key] = f"{section}.{name}"
        if values[key] is not None:
            put(sections, key, meant(section, name, values[key]))
    return NestedSettings(sections, dict(sorted(renamed.items())))


def flat_settings(nested: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of older versions, out of a whole configuration with snake_case keys.

    ``None`` stands for what it does not say, as those of services do of what is not set.
    """
    return {
        key: nested.get(section, {}).get(to_snake(name))
        for key, (section, name) in OLD_SETTINGS.items()
    }


def meant(section: str, name: str, value: object) -> object:
    """The value of an old setting in the kind that it has today."""
    return converted(SECTIONS[section].model_fields[to_snake(name)], value)


def put(sections: dict[str, Any], key: str, value: object) -> None:
    """Give a section the value of an old key."""
    section, name = OLD_SETTINGS[SPELLINGS[key]]
    check_alone(key, section, name, value)
    present = sections.setdefault(section, {})
    if not isinstance(present, dict):  # no section at all: the check that follows says so
        return
    for spelling in (name, to_snake(name)):
        if spelling in present and present[spelling] != value:
            allowed = f"the same as {section}.{spelling}, or one of them alone"
            raise InvalidConfigError(key, value, allowed)
    if to_snake(name) not in present:
        present[name] = value


def check_alone(key: str, section: str, name: str, value: object) -> None:
    """A wrong value is reported under the key that it stands under."""
    try:
        Config.checked({section: {name: value}})
    except InvalidConfigError as error:
        raise InvalidConfigError(key, value, error.allowed) from None
