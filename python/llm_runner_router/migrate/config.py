"""A configuration of any older version, in the nested form of 1.2.

The flat settings of 0.x to 1.1 go to their sections. What is no setting at all is kept below the
key UNMAPPED, which the service does not read. Nothing is filled in: what a file does not set has
its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from inspect import isclass
from typing import Any, get_args

from pydantic.alias_generators import to_snake
from pydantic.fields import FieldInfo

from llm_runner_router.config.errors import field_name
from llm_runner_router.config.section import Section
from llm_runner_router.config.tree import SECTIONS, Config, unknown_key
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.hidden import HIDDEN, hidden
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import below, leaves_of, same
from llm_runner_router.migrate.setting_values import not_set, remark
from llm_runner_router.migrate.transformed import UNMAPPED, Transformed
from llm_runner_router.old.config import SPELLINGS
from llm_runner_router.old.settings import OLD_SETTINGS
from llm_runner_router.old.values import converted, kind_of, may_be_null

FLAT = {spelling: OLD_SETTINGS[key] for spelling, key in SPELLINGS.items()}


def migrated_config(old: Mapping[str, Any]) -> Transformed:
    """``old`` in today's form, and the fate of each of its leaves.

    InvalidConfigError where a setting stands twice with different values, or a section is no
    object. Values that are out of range stay: see ``check_config``.
    """
    work = ConfigMigration()
    for key, value in old.items():
        if key.startswith("_"):
            work.keep(key, value)
        elif key in FLAT:
            work.flat(key, value)
        elif key in SECTIONS:
            work.section(key, value)
        else:
            work.unknown((key,), value)
    work.lay_aside()
    return Transformed(work.content, work.fields, work.notes)


def check_config(new: Transformed) -> None:
    """Refuse what the service would: the error names the place in the old file."""
    values = {key: value for key, value in new.content.items() if not key.startswith("_")}
    try:
        Config.checked(values)
    except InvalidConfigError as error:
        where = old_place(new, error.field)
        raise InvalidConfigError(where, error.value, error.allowed, reason=error.reason) from None


def old_place(new: Transformed, place: str) -> str:
    """Where the value that stands at ``place`` now stood before."""
    for field in new.fields:
        rest = field.target.removeprefix(place)
        if field.target.startswith(place) and (not rest or rest[0] in ".[") and field.path:
            return field.path.removesuffix(rest)
    return place


class ConfigMigration:
    """One configuration on its way: what was made of it so far."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = {}
        self.fields: list[Field] = []
        self.notes: list[str] = []
        self._settled: dict[tuple[str, ...], tuple[str, str]] = {}
        self._unknown: list[tuple[tuple[str, ...], Any]] = []

    def keep(self, path: str, value: object) -> None:
        """A remark of the file: it stays where it is."""
        self.content[path] = value
        self.fields += [Field(leaf, Fate.KEPT, leaf) for leaf, _ in leaves_of(value, path)]

    def flat(self, key: str, value: object) -> None:
        """A setting of an older version."""
        section, name = FLAT[key]
        field = SECTIONS[section].model_fields[to_snake(name)]
        reason = not_set(field, value)
        if reason:
            self.fields.append(Field(key, Fate.UNMAPPED, note=reason))
            return
        target = self.content.setdefault(section, {})
        self._settle(target, (section, name), key, field, value)

    def section(self, key: str, values: object) -> None:
        """A section of today."""
        if isinstance(values, list):  # of models, say: nothing that was ever a setting
            self.unknown((key,), values)
        elif values is None:
            self.fields.append(Field(key, Fate.UNMAPPED, note="null means not set"))
        else:
            target = self.content.setdefault(key, {})
            self._inner(SECTIONS[key], (key,), values, target)

    def unknown(self, path: tuple[str, ...], value: object) -> None:
        """What is no setting is laid aside, in the place that it has in the file."""
        note = "no setting of today" + nearest(".".join(path), value)
        self._unknown.append((path, value))
        old = ".".join(path)
        self.fields += [
            Field(leaf, Fate.KEPT, below(UNMAPPED, leaf), note) for leaf, _ in leaves_of(value, old)
        ]

    def lay_aside(self) -> None:
        """Put all that is unknown below UNMAPPED, beside what an earlier migration has put."""
        if not self._unknown:
            return
        aside = deepcopy(self.content.pop(UNMAPPED, {}))
        for path, value in self._unknown:
            place(aside, path, value)
        self.content[UNMAPPED] = aside

    def _inner(
        self, kind: type[Section], path: tuple[str, ...], values: object, target: dict[str, Any]
    ) -> None:
        """The settings of an object that has the shape of ``kind``."""
        if not isinstance(values, dict):
            raise InvalidConfigError(".".join(path), hidden(values), "an object of settings")
        if not values:
            self.fields.append(Field(".".join(path), Fate.MAPPED, ".".join(path)))
        seen: set[str] = set()
        for key, value in values.items():
            name = field_name(kind, key)
            if name in seen and isinstance(value, dict):
                where = ".".join((*path, key))
                raise InvalidConfigError(where, HIDDEN, "the key in one spelling only")
            seen.add(name)
            if name in kind.model_fields:
                self._setting(kind.model_fields[name], (*path, key), value, target)
            else:
                self.unknown((*path, key), value)

    def _setting(
        self, field: FieldInfo, path: tuple[str, ...], value: object, target: dict[str, Any]
    ) -> None:
        """A setting that stands in its section."""
        where, inner = ".".join(path), kind_of(field)
        reason = not_set(field, value)
        if isclass(inner) and issubclass(inner, Section) and isinstance(value, dict):
            self._inner(inner, path, value, target.setdefault(path[-1], {}))
        elif get_args(inner) and isinstance(value, dict):
            self._entries(get_args(inner)[1], path, value, target.setdefault(path[-1], {}))
        elif reason and not (value is None and may_be_null(field)):
            self.fields.append(Field(where, Fate.UNMAPPED, note=reason))
        else:
            self._settle(target, path, where, field, value)

    def _entries(
        self,
        kind: type[Section],
        path: tuple[str, ...],
        values: Mapping[str, Any],
        target: dict[str, Any],
    ) -> None:
        """Objects of one shape under names that are the user's."""
        if not values:
            self.fields.append(Field(".".join(path), Fate.MAPPED, ".".join(path)))
        for name, value in values.items():
            self._inner(kind, (*path, name), value, target.setdefault(name, {}))

    def _settle(
        self,
        target: dict[str, Any],
        path: tuple[str, ...],
        where: str,
        field: FieldInfo,
        value: object,
    ) -> None:
        """Set the setting at ``path`` to the value that stands at ``where`` in the old file."""
        new = converted(field, value)
        setting = (*path[:-1], to_snake(path[-1]))
        earlier, result = self._settled.setdefault(setting, (where, ".".join(path)))
        key = result.rpartition(".")[2]
        if earlier == where:
            target[key] = new
        elif not same(target[key], new):
            allowed = f"the same as {earlier} ({json.dumps(target[key])}), or one of the two alone"
            raise InvalidConfigError(where, value, allowed)
        notes = [] if same(value, new) else [f"was {json.dumps(value)}"]
        if warning := remark(setting, new):
            notes.append(warning)
            self.notes.append(f"{where}: {warning}")
        self.fields += [
            Field(where + leaf, Fate.MAPPED, result + leaf, "; ".join(notes))
            for leaf, _ in leaves_of(value)
        ]


def nearest(where: str, value: object) -> str:
    """The known key that is meant perhaps, in words; an object can only be meant for a section."""
    _, found, name = unknown_key(where).allowed.partition("the nearest is ")
    if isinstance(value, dict | list):
        return f"; the nearest is {name}" if name in SECTIONS else ""
    old = [] if "." in where else get_close_matches(where, OLD_SETTINGS, 1, 0.6)
    name = ".".join(OLD_SETTINGS[old[0]]) if old else name
    return f"; the nearest is {name}" if old or found else ""


def place(aside: object, path: tuple[str, ...], value: object) -> None:
    """Put ``value`` at ``path``; InvalidConfigError where something else is there."""
    *above, key = path
    present = aside
    for name in above:
        present = present.setdefault(name, {}) if isinstance(present, dict) else present
    if isinstance(present, dict):
        present = present.setdefault(key, value)
        if same(present, value):
            return
    where = ".".join((UNMAPPED, *path))
    allowed = f"the same as {'.'.join(path)}, or one of the two alone"
    raise InvalidConfigError(where, hidden(present), allowed)
