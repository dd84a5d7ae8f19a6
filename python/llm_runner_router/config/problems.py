"""All that is wrong with a configuration file, each with its place in the text."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from json import JSONDecodeError
from typing import Any, TypeAlias, TypeGuard, get_args

from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from llm_runner_router.config.errors import allowed_of, config_error, field_name
from llm_runner_router.config.json_positions import Member, Node, Position, read_json
from llm_runner_router.config.problem import ConfigProblem, wrong_key, wrong_value
from llm_runner_router.config.section import Section
from llm_runner_router.config.tree import Config, known_keys
from llm_runner_router.hidden import hidden
from llm_runner_router.old.config import NO_SETTING, SPELLINGS
from llm_runner_router.old.settings import OLD_SETTINGS

MAX_BYTES = 1 << 20
"""Of a file, as the service takes it."""

Keys: TypeAlias = "tuple[str, ...]"
SECTION = "an object of settings"
START = Position(1, 1)


def config_problems(document: bytes) -> Sequence[ConfigProblem]:
    """What is wrong with a file of that content, in the order of its lines; nothing if it is valid.

    A file without problems is one that the service starts with. Values that may be secrets are
    hidden.
    """
    try:
        text = text_of(document)
        root = read_json(text)
    except JSONDecodeError as error:
        return [ConfigProblem(error.lineno, error.colno, "", f"is no JSON: {error.msg}")]
    check = Check(text)
    check.whole(root)
    return sorted(check.problems, key=lambda problem: (problem.line, problem.column))


def text_of(document: bytes) -> str:
    """The text of a file; JSONDecodeError where it is too long or no UTF-8."""
    if len(document) > MAX_BYTES:
        raise JSONDecodeError(f"the file is longer than {MAX_BYTES} bytes", "", 0)
    try:
        return document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = document[: error.start].decode("utf-8-sig", "replace")
        raise JSONDecodeError("here begins what is no UTF-8", before, len(before)) from None


@dataclass(slots=True)
class Check:
    """Collects the problems of one text. ``places`` are those of the values by their paths."""

    text: str
    problems: list[ConfigProblem] = field(default_factory=list)
    places: dict[str, Position] = field(default_factory=dict)

    def whole(self, root: Node) -> None:
        """Keys first, then the values of those that there are."""
        values = self._section(Config, root, (), SECTION)
        if values is None:
            return
        try:
            Config.model_validate(values)
        except ValidationError as error:
            for details in error.errors():
                found = config_error(Config, details)
                place = self.places.get(found.field, START)
                self.problems.append(wrong_value(place, found.field, found.value, found.allowed))

    def _section(
        self, section: type[Section], node: Node, path: Keys, allowed: str
    ) -> dict[str, Any] | None:
        """The values of the keys that a section has, under their snake_case names."""
        self._note(path, node)
        if node.members is None:
            self._refuse(node, path, allowed)
            return None
        values: dict[str, Any] = {}
        for member in self._distinct(node.members, path):
            name = field_name(section, member.key)
            where = (*path, to_camel(name))
            if not path and self._is_apart(member):
                continue
            if name not in section.model_fields:
                self._unknown(section, member, (*path, member.key))
            elif name in values:
                self._twice(member, (*path, member.key), "the key in one spelling only")
            else:
                values[name] = self._setting(section.model_fields[name], member.value, where)
        return {name: value for name, value in values.items() if value is not self}

    def _setting(self, setting: FieldInfo, node: Node, path: Keys) -> Any:  # noqa: ANN401 - any JSON
        """The value of a setting; the check itself where that was refused already."""
        kind, allowed = setting.annotation, allowed_of(setting, SECTION)
        entry = next(iter(get_args(kind)[1:]), None)
        if is_section(kind):
            found = self._section(kind, node, path, allowed)
        elif is_section(entry):
            found = self._sections(entry, node, path, allowed)
        else:
            self._note(path, node)
            return node.plain()
        return self if found is None else found

    def _sections(
        self, section: type[Section], node: Node, path: Keys, allowed: str
    ) -> dict[str, Any] | None:
        """The values of sections by names that the user gives."""
        if node.members is None:
            self._refuse(node, path, allowed)
            return None
        found = {
            member.key: self._section(section, member.value, (*path, member.key), allowed)
            for member in self._distinct(node.members, path)
        }
        return {key: value for key, value in found.items() if value is not None}

    def _distinct(self, members: Sequence[Member], path: Keys) -> Sequence[Member]:
        """The members without those whose key has stood before, which are refused."""
        first: dict[str, Member] = {}
        for member in members:
            if first.setdefault(member.key, member) is not member:
                self._twice(member, (*path, member.key), "each key once")
        return list(first.values())

    def _is_apart(self, member: Member) -> bool:
        """Whether a key of the top level is no setting of this version; old ones are refused."""
        old = SPELLINGS.get(member.key)
        if old is not None:
            new = ".".join(OLD_SETTINGS[old])
            message = f"is a setting of an older version; today it is {new}"
            place = Position.of(self.text, member.offset)
            hint = "run `llm-router migrate`"
            self.problems.append(wrong_key(place, member.key, message, new, hint))
        return old is not None or member.key.startswith(NO_SETTING)

    def _unknown(self, section: type[Section], member: Member, path: Keys) -> None:
        """Refuse a key that does not exist, with the nearest that does."""
        key, names = ".".join(path), list(map(to_camel, section.model_fields))
        near = nearest(names, path)
        place = Position.of(self.text, member.offset)
        hint = f"did you mean {near}?" if near else ""
        allowed = f"one of {', '.join(names)}"
        message = "is no setting" if near else f"is no setting; allowed: {allowed}"
        self.problems.append(wrong_key(place, key, message, allowed, hint))

    def _twice(self, member: Member, path: Keys, allowed: str) -> None:
        """Refuse a key that has stood before."""
        place = Position.of(self.text, member.offset)
        self.problems.append(wrong_key(place, ".".join(path), "stands there twice", allowed))

    def _refuse(self, node: Node, path: Keys, allowed: str) -> None:
        """Refuse what stands in place of an object."""
        place, value = Position.of(self.text, node.offset), hidden(node.plain())
        self.problems.append(wrong_value(place, ".".join(path), value, allowed))

    def _note(self, path: Keys, node: Node) -> None:
        """Remember where a value stands."""
        self.places[".".join(path)] = Position.of(self.text, node.offset)


def nearest(names: Sequence[str], path: Keys) -> str | None:
    """What an unknown key may have been meant to be; ``names`` are those that its place has."""
    key, anywhere = path[-1], {known.rpartition(".")[2]: known for known in known_keys()}
    here = {name: ".".join((*path[:-1], name)) for name in names}
    for found in (here, anywhere):
        if matches := get_close_matches(key, found, 1):
            return found[matches[0]]
    return None


def is_section(kind: object) -> TypeGuard[type[Section]]:
    """Whether a setting is an object with settings of its own."""
    return inspect.isclass(kind) and issubclass(kind, Section)
