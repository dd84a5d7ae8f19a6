"""A list of records of an old registry: those that come along, and those that are put aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.draft import Draft, MigratedEntry
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import leaf_paths
from llm_runner_router.migrate.record_names import identity
from llm_runner_router.migrate.transformed import UNMAPPED


@dataclass(slots=True)
class RecordList:
    """Collects the records of one kind; ``name`` is their list in a file of 1.2.

    ``keys`` are the lists of the input that they come from.
    ``aside`` begins with what an earlier migration has put aside.
    """

    name: str
    keys: Sequence[str]
    obstacle: Callable[[object], str]
    migrated: Callable[[str, Mapping[str, Any]], MigratedEntry]
    check: Callable[[str, Mapping[str, Any]], object]
    aside: list[Any]
    entries: list[Mapping[str, Any]] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    fields: list[Field] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, draft: Draft) -> None:
        """Migrate the records that stand under the keys of ``draft``, one after the other.

        InvalidRequestError says which value of the input is wrong, or names both places of an id.
        """
        for key in self.keys:
            for number, old in enumerate(records_of(key, draft.taken(key))):
                self._take_one(f"{key}[{number}]", old)

    def _take_one(self, where: str, old: Any) -> None:  # noqa: ANN401 - any JSON
        reason = self.obstacle(old)
        if reason:
            self._put_aside(where, old, reason)
            return
        self._check_alone(where, identity(old))
        made = self.migrated(where, old)
        fields = made.accounted(where, f"{self.name}[{len(self.entries)}]")
        self._check(where, made.entry, fields)
        self.entries.append(made.entry)
        self.fields += fields
        self.notes += made.notes

    def _put_aside(self, where: str, old: Any, reason: str) -> None:  # noqa: ANN401
        """Keep a record that cannot be migrated, as it is."""
        target = f"{UNMAPPED}.{self.name}[{len(self.aside)}]"
        self.aside.append(old)
        places = zip(leaf_paths(old, where), leaf_paths(old, target), strict=True)
        self.fields += [Field(path, Fate.KEPT, place, reason) for path, place in places]
        self.notes.append(f"{where} {reason}; it is kept under {target}")

    def _check_alone(self, where: str, name: Any) -> None:  # noqa: ANN401
        """Refuse a second record of one id."""
        first = self.places.setdefault(str(name), where)
        if first != where:
            allowed = f"each id once: it is that of {first}, too"
            raise InvalidRequestError(f"{where}.id", name, allowed)

    def _check(self, where: str, entry: Mapping[str, Any], fields: Sequence[Field]) -> None:
        """What the service would refuse is refused here, with the path of the input."""
        target = f"{self.name}[{len(self.entries)}]"
        try:
            self.check(target, entry)
        except InvalidRequestError as error:
            inside = error.field.removeprefix(f"{target}.")
            path = source_of(f"{target}.{inside}", fields) or f"{where}.{inside}"
            raise InvalidRequestError(path, error.value, error.allowed) from None


def source_of(target: str, fields: Sequence[Field]) -> str:
    """Where the value at ``target``, in either spelling, comes from; empty: nobody knows."""
    wanted = plain(target)
    return next((one.path for one in fields if one.path and plain(one.target) == wanted), "")


def plain(path: str) -> str:
    """A path in the letters that both spellings share."""
    return path.replace("_", "").lower()


def records_of(key: str, value: object) -> Sequence[Any]:
    """The records of a list; ``null`` is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidRequestError(key, value, "a list of records")
    return value
