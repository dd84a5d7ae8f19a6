"""Which keys of a registry file are fields of our records, there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

from pydantic.alias_generators import to_camel

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import hidden
from llm_runner_router.registry.records import (
    Endpoint,
    ModelConfig,
    ModelLimits,
    ModelRecord,
    Pricing,
    PromptTemplate,
)

NOTHING: tuple[object, ...] = (None, "", [], {})
"""Values that say as much as no value; a file gets them back as they were."""

SET_BY_THE_STORE = frozenset({"etag", "created", "updated"})


@dataclass(frozen=True, slots=True)
class Shape:
    """An object of the file that is a record here; ``parts`` are its own objects."""

    record: Callable[..., Any]
    names: Mapping[str, str]
    parts: Mapping[str, Shape]

    @classmethod
    def of(cls, record: type, **parts: Shape) -> Shape:
        """All fields of a dataclass, by both spellings."""
        names = [field.name for field in fields(record) if field.name not in SET_BY_THE_STORE]
        spelled = {to_camel(name): name for name in names} | {name: name for name in names}
        return cls(record, spelled, parts)

    def read(self, where: str, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that ``values`` sets, and all the rest as it stands there.

        InvalidRequestError where a key stands in both spellings, or a part is no object.
        """
        found: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for key, value in values.items():
            name = self.names.get(key)
            if name is None or value in NOTHING:
                rest[key] = value
            elif name in found:
                raise InvalidRequestError(f"{where}.{key}", value, "the key in one spelling only")
            elif name in self.parts:
                part = self.parts[name]
                inner, more = part.read(f"{where}.{key}", an_object(f"{where}.{key}", value))
                found[name] = part.made(f"{where}.{key}", inner)
                if more:
                    rest[key] = more
            else:
                found[name] = tuple(value) if isinstance(value, list) else value
        return found, rest

    def made(self, where: str, values: Mapping[str, Any]) -> object:
        """The record of what was read."""
        for field in fields(self.record):  # type: ignore[arg-type]
            missing = field.default is MISSING and field.default_factory is MISSING
            if missing and field.name not in values:
                raise InvalidRequestError(f"{where}.{to_camel(field.name)}", None, "a value")
        return self.record(**values)

    def written(self, record: object, extras: Mapping[str, Any]) -> dict[str, Any]:
        """The object of a record: what it says, and around it ``extras``."""
        result: dict[str, Any] = {}
        for name in dict.fromkeys(self.names.values()):
            key, value = to_camel(name), getattr(record, name)
            if name in self.parts:
                value = self.parts[name].written(value, {}) if is_dataclass(value) else None
            if value != () and value not in NOTHING:
                result[key] = list(value) if isinstance(value, tuple) else value
        return laid_over(extras, result)


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``over`` on it, object by object."""
    result = dict(base)
    for key, value in over.items():
        present = result.get(key)
        both = isinstance(present, Mapping) and isinstance(value, Mapping)
        result[key] = laid_over(present, value) if both else value  # type: ignore[arg-type]
    return result


def an_object(where: str, value: object) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise InvalidRequestError(where, hidden(value), "an object")
    return value


CONFIG = Shape.of(ModelConfig)
MODEL = Shape.of(
    ModelRecord,
    config=CONFIG,
    endpoint=Shape.of(Endpoint),
    pricing=Shape.of(Pricing),
    limits=Shape.of(ModelLimits),
)
TEMPLATE = Shape.of(PromptTemplate)
