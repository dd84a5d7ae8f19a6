"""The planted faults that ``mutants.toml`` lists."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class MutantError(Exception):
    """The list is wrong, or does not fit the tree."""


class StaleMutantError(MutantError):
    """The text that a mutant replaces is gone, or stands more than once."""


@dataclass(frozen=True)
class Mutant:
    """One small fault: ``find`` stands exactly once in ``file`` and becomes ``replace``.

    ``tests`` are the pytest arguments of which at least one must then fail.
    """

    name: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]

    @property
    def needs_build(self) -> bool:
        """Whether the extension has to be compiled again."""
        return self.file.endswith((".cc", ".h"))

    def applied_to(self, text: str) -> str:
        """The text of the file with the fault in it; StaleMutantError where it does not fit."""
        found = text.count(self.find)
        if found != 1:
            message = f"{self.name}: {self.find!r} stands {found} times in {self.file}, not once"
            raise StaleMutantError(message)
        return text.replace(self.find, self.replace)


def read_mutants(path: Path) -> tuple[Mutant, ...]:
    """Every mutant of a list; MutantError for wrong fields, no tests or a name given twice."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", [])
    mutants = tuple(_mutant(entry) for entry in entries)
    twice = [
        name for name, count in Counter(mutant.name for mutant in mutants).items() if count > 1
    ]
    if twice:
        raise MutantError(f"{path.name} gives a name twice: {', '.join(twice)}")
    return mutants


def _mutant(entry: dict[str, object]) -> Mutant:
    expected = {"name": str, "file": str, "find": str, "replace": str, "tests": list}
    types = {key: type(value) for key, value in entry.items()}
    if types != expected or not entry["tests"]:
        raise MutantError(
            f"{entry.get('name', entry)}: a mutant has {', '.join(expected)}, with tests"
        )
    return Mutant(**{**entry, "tests": tuple(entry["tests"])})  # type: ignore[arg-type]


def chosen(mutants: tuple[Mutant, ...], names: list[str]) -> tuple[Mutant, ...]:
    """The mutants of these names, all where there are none; MutantError for an unknown name."""
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        raise MutantError(f"no such mutant: {', '.join(sorted(unknown))}")
    return tuple(mutant for mutant in mutants if not names or mutant.name in names)
