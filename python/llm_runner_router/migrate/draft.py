"""A record of a registry on its way into its new shape."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, TypeAlias

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import shown_address
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import below, leaf_paths
from llm_runner_router.migrate.transformed import UNMAPPED

NOT_SET = "null: not set"
UNKNOWN = "no field of this version"
OLD_DEFAULT = "what older versions did where nothing was said"

Keys: TypeAlias = "tuple[str, ...]"
"""The keys that lead to a value, the outermost first."""


@dataclass(frozen=True, slots=True)
class MigratedEntry:
    """A record in its new shape. The paths of ``fields`` begin within the record."""

    entry: Mapping[str, Any]
    fields: tuple[Field, ...]
    notes: tuple[str, ...] = ()

    def accounted(self, path: str, target: str) -> list[Field]:
        """The fields with the places of the record in the input and in the result before them."""
        return [
            replace(
                one,
                path="" if one.fate is Fate.ADDED else below(path, one.path),
                target="" if one.fate is Fate.UNMAPPED else below(target, one.target),
            )
            for one in self.fields
        ]


@dataclass(slots=True)
class Draft:
    """What is left of the old record, what the new one has so far, and where each leaf has gone.

    ``where`` is the record's place in the input, for errors. Sources are paths in the old record.
    """

    where: str
    rest: dict[str, Any]
    entry: dict[str, Any] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def taken(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """The value of an old key, of which the draft is rid; ``None`` where it is not set.

        ``null`` and empty text count as not set, and are accounted for.
        """
        value = self.rest.pop(key, self)
        if not is_set(value):
            self.drop(key, NOT_SET if value is None else "empty")
        return None if value is self or value == "" else value

    def drop(self, source: str, note: str) -> None:
        """Say that a leaf has no place in the new record."""
        self.fields.append(Field(source, Fate.UNMAPPED, note=note))

    def put(self, source: str, target: Keys, value: Any, note: str = "") -> None:  # noqa: ANN401
        """Let the new record have the value of the old ``source``.

        InvalidRequestError names both where something else stands there already.
        """
        self._give(Fate.MAPPED, source, target, value, note)

    def put_single(self, source: str, target: Keys, value: Any) -> None:  # noqa: ANN401
        """As ``put``, of a value that is a list there."""
        before = len(self.fields)
        self._give(Fate.MAPPED, source, target, [value], "a list of one")
        self.fields[before:] = [replace(one, path=source) for one in self.fields[before:]]

    def keep(self, source: str, target: Keys, value: Any, note: str) -> None:  # noqa: ANN401
        """As ``put``, of a value that nothing there uses."""
        self._give(Fate.KEPT, source, target, value, note)

    def forget(self, place: str, note: str) -> None:
        """Say of the leaf that stands at ``place``, if any, that something else will."""
        self.fields = [
            Field(one.path, Fate.UNMAPPED, note=note) if one.target == place else one
            for one in self.fields
        ]

    def keep_unmapped(self) -> None:
        """Let the new record have what an earlier migration has put aside."""
        for key, value in an_object(self.where, self.rest.pop(UNMAPPED, {})).items():
            self.keep(below(UNMAPPED, key), (UNMAPPED, key), value, "put aside")

    def move_rest(self, known: Container[str]) -> None:
        """Let the new record have all that is left, under the same keys; some are ``known``."""
        for key, value in self.rest.items():
            if key in known:
                self.put(key, (key,), value)
            else:
                self.keep(key, (key,), value, UNKNOWN)
        self.rest = {}

    def add(self, target: Keys, value: Any, note: str) -> None:  # noqa: ANN401
        """Let the new record have a value of which the old one says nothing, unless it has one."""
        inside, key = self._parent(target)
        if key in inside and (value is None or inside[key] is not None):
            return
        place = path_of(target)
        self.forget(place, NOT_SET)
        inside[key] = value
        self.fields += [Field("", Fate.ADDED, leaf, note) for leaf in leaf_paths(value, place)]

    def is_free(self, target: Keys, value: Any) -> bool:  # noqa: ANN401
        """Whether nothing else stands there."""
        inside, key = self._parent(target)
        return inside.get(key) is None or equal(inside[key], value)

    def finished(self) -> MigratedEntry:
        """The new record; what was put aside comes last."""
        if UNMAPPED in self.entry:
            self.entry[UNMAPPED] = self.entry.pop(UNMAPPED)
        return MigratedEntry(self.entry, tuple(self.fields), tuple(self.notes))

    def _give(self, fate: Fate, source: str, target: Keys, value: Any, note: str) -> None:  # noqa: ANN401
        inside, key = self._parent(target)
        present, place = inside.get(key), path_of(target)
        if value is None and present is not None:
            self.drop(source, NOT_SET)
            return
        if not self.is_free(target, value):
            first = next((one.path for one in self.fields if one.target == place), place)
            allowed = f"the same as {below(self.where, first)}, or only one of them"
            raise InvalidRequestError(below(self.where, source), shown_address(value), allowed)
        if key in inside and present is None:
            self.forget(place, NOT_SET)
        inside[key] = value
        places = zip(leaf_paths(value, source), leaf_paths(value, place), strict=True)
        self.fields += [Field(path, fate, leaf, note) for path, leaf in places]

    def _parent(self, target: Keys) -> tuple[dict[str, Any], str]:
        """The object that holds ``target``, made where there is none, and the key in it."""
        inside = self.entry
        for section in target[:-1]:
            found = inside.setdefault(section, {})
            if not isinstance(found, dict):
                raise InvalidRequestError(below(self.where, section), found, "an object")
            inside = found
        return inside, target[-1]


def path_of(keys: Keys) -> str:
    """The path of the value that the keys lead to."""
    return reduce(below, keys)


def is_set(value: object) -> bool:
    """Whether a value says anything: ``0`` and ``false`` do."""
    return value is not None and value != ""


def equal(one: object, other: object) -> bool:
    """Whether two values say the same: ``1``, ``1.0`` and ``true`` do not, whatever the order."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def an_object(where: str, value: object) -> Mapping[str, Any]:
    """What was put aside in a record."""
    if not isinstance(value, Mapping):
        raise InvalidRequestError(below(where, UNMAPPED), value, "an object")
    return value


def unchanged(entry: Mapping[str, Any]) -> MigratedEntry:
    """A record that is in its new shape already."""
    fields = tuple(Field(path, Fate.KEPT, path) for path in leaf_paths(entry))
    return MigratedEntry(entry, fields)
