"""What is said of a wrong setting: where it stands, what is allowed, and nothing secret."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from llm_runner_router.config.section import Section
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.hidden import HIDDEN, hidden

SECRETS = frozenset((("cache", "url"), ("registry", "url")))
"""Settings that may hold a password."""

SECRET_SECTIONS = frozenset(section for section, _ in SECRETS)


def hidden_address(value: object) -> object:
    """The scheme of an address alone; ``None`` stays."""
    scheme, found, _ = value.partition("://") if isinstance(value, str) else ("", "", "")
    return f"{scheme}://{HIDDEN}" if found and scheme.isalpha() else hidden(value)


def shown(path: tuple[str, ...], value: object) -> object:
    """What an error or GetConfig may show of the setting at ``path``."""
    if path in SECRETS:
        return hidden_address(value)
    return HIDDEN if isinstance(value, Mapping) and (path[0] in SECRET_SECTIONS) else value


def without_secrets(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """A copy of a whole configuration that anybody may see."""
    return {
        section: {key: shown((section, key), value) for key, value in entries.items()}
        for section, entries in values.items()
    }


def config_error(root: type[Section], error: ErrorDetails) -> InvalidConfigError:
    """Our error for what pydantic has found in ``root``: the whole path, the innermost rule."""
    where: list[str] = []
    kind: object = root
    allowed = error["msg"]
    for part in map(str, error["loc"]):
        if not (inspect.isclass(kind) and issubclass(kind, Section)):
            where.append(part)  # the name of an entry, as it was given
            kind = next(iter(get_args(kind)[1:]), None)
            continue
        name = field_name(kind, part)
        where.append(to_camel(name))
        if name not in kind.model_fields:
            return unknown_inside(kind, ".".join(where))
        field = kind.model_fields[name]
        allowed, kind = allowed_of(field, allowed), field.annotation
    path = tuple(where)
    return InvalidConfigError(".".join(path), shown(path, error["input"]), allowed)


def field_name(section: type[Section], key: str) -> str:
    """The snake_case name of a setting that may be spelled either way."""
    names = {to_camel(name): name for name in section.model_fields}
    return names.get(key, key)


def allowed_of(field: FieldInfo, otherwise: str) -> str:
    """What a setting may be."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else otherwise


def unknown_inside(section: type[Section], where: str) -> InvalidConfigError:
    """The error of a key that a part of a section does not have."""
    allowed = f"one of {', '.join(map(to_camel, section.model_fields))}"
    return InvalidConfigError.unknown(where, allowed, reason="UNKNOWN_CONFIG_KEY")
