"""``.env`` files: variables under their new names, and every other byte as it was.

The syntax is that of the dotenv packages: ``NAME=value`` or ``NAME: value``, perhaps after
``export``; a value in quotes may go on over several lines; ``#`` begins a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llm_runner_router.config.sources import VARIABLES, check_variable
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.fields import Fate, Field

NEW_NAMES: Mapping[str, str] = {variable.old_name: variable.name for variable in VARIABLES}
OLD_NAMES: Mapping[str, str] = {new: old for old, new in NEW_NAMES.items()}

ASSIGNMENT = re.compile(
    r"(?P<lead>\ufeff?[ \t]*(?:export[ \t]+)?)(?P<name>[\w.-]+)(?P<equals>[ \t]*=|:[ \t]+)"
    r"[ \t]*(?P<value>.*)",
    re.DOTALL,
)
QUOTES = "'\"`"

SOURCED = (
    "llm-router reads variables from its environment and opens no .env: pass the file by "
    "EnvironmentFile= of systemd, --env-file of docker, or `set -a; . ./.env` of a shell"
)


@dataclass(frozen=True, slots=True)
class MigratedText:
    """The new text, what has become of each variable, and what the user should know."""

    text: str
    fields: Sequence[Field]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable with all of its lines, or lines that set none: their ``name`` is empty.

    ``text`` is ``lead + name + rest``; ``value`` is without quotes and remarks.
    """

    text: str
    line: int
    lead: str = ""
    name: str = ""
    rest: str = ""
    value: str = ""


def migrated_environment(text: str) -> MigratedText:
    """``text`` with the old names replaced.

    Where the new name is set too it wins, and the old one becomes a remark; the other way about
    where all that it says is the value of the old one, or nothing. InvalidConfigError where a value
    is out of range, or made of the one that will have the same name.
    """
    entries = list(entries_of(text))
    winners = frozenset(winner(entries, old, new) for old, new in NEW_NAMES.items())
    result: list[str] = []
    fields: list[Field] = []
    for entry in entries:
        changed, field = migrated_entry(entry, winners)
        result.append(changed)
        if entry.name:
            fields.append(field)
    notes = list(uses_of_old_names(entries))
    if any(field.path != field.target for field in fields):
        notes.insert(0, SOURCED)
    return MigratedText("".join(result), fields, notes)


def winner(entries: Sequence[Entry], old: str, new: str) -> str:
    """Which of the two names of a variable counts: the new one where it says something itself."""
    names = {entry.name for entry in entries}
    if old not in names:
        return new
    says_itself = any(
        entry.name == new and entry.value and not repeats(entry, old, new) for entry in entries
    )
    empty = all(not entry.value for entry in entries if entry.name == old)
    return new if says_itself or (new in names and empty) else old


def repeats(entry: Entry, old: str, new: str) -> bool:
    """Whether all that an entry says is the value of ``old``, whose name will be ``new``."""
    if re.fullmatch(rf"\$(?:{old}|\{{{old}(?::?-[^{{}}]*)?\}})", entry.value):
        return True
    if uses(entry, old):
        allowed = f"a value that is not made of {old}, whose name is {new} now"
        raise InvalidConfigError(f"{entry.name} (line {entry.line})", entry.value, allowed)
    return False


def migrated_entry(entry: Entry, winners: frozenset[str]) -> tuple[str, Field]:
    """The new text of an entry, and its fate."""
    new = NEW_NAMES.get(entry.name, entry.name)
    if new not in NEW_NAMES.values():
        return entry.text, Field(entry.name, Fate.KEPT, entry.name)
    if entry.name not in winners:
        other = new if new in winners else OLD_NAMES[new]
        note = f"{other} is set too and wins; the line is a remark now"
        return as_remark(entry.text), Field(entry.name, Fate.UNMAPPED, note=note)
    check_value(entry, new)
    return f"{entry.lead}{new}{entry.rest}", Field(entry.name, Fate.MAPPED, new)


def check_value(entry: Entry, name: str) -> None:
    """Refuse what the service would, under the name that stands in the file."""
    variable = next(each for each in VARIABLES if each.name == name)
    if "$" in entry.value or not entry.value:  # another's value, unknown here, or none at all
        return
    try:
        check_variable(entry.name, variable, variable.parse(entry.value))
    except InvalidConfigError as error:
        raise InvalidConfigError(
            f"{entry.name} (line {entry.line})", error.value, error.allowed
        ) from None


def as_remark(text: str) -> str:
    """The same lines, of which none says anything."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix(mark).split("\n")
    return mark + "\n".join(f"# {line}" if line.strip() else line for line in lines)


def uses_of_old_names(entries: Sequence[Entry]) -> Iterator[str]:
    """Where the value of another variable is made of one that has a new name."""
    for entry in entries:
        for old, new in NEW_NAMES.items():
            if uses(entry, old) and NEW_NAMES.get(entry.name, entry.name) != new:
                yield f".env:{entry.line}: {entry.name} uses {old}, whose name is {new} now"


def uses(entry: Entry, name: str) -> bool:
    """Whether the value of an entry is made of another variable's."""
    return re.search(rf"\$\{{?{name}\b", entry.value) is not None


def entries_of(text: str) -> Iterator[Entry]:
    """The file in pieces that together are the file."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    number = 0
    while number < len(lines):
        found = ASSIGNMENT.fullmatch(lines[number])
        count = lines_of_value(found["value"], lines, number) if found else 1
        piece = "".join(lines[number : number + count])
        entry = Entry(piece, number + 1)
        if found:
            lead, name = found["lead"], found["name"]
            value = piece[found.start("value") :]
            rest = piece[len(lead) + len(name) :]
            entry = replace(entry, lead=lead, name=name, rest=rest, value=plain(value))
        yield entry
        number += count


def lines_of_value(first: str, lines: Sequence[str], number: int) -> int:
    """How many of ``lines`` a value takes that begins with ``first``, in the one of that number.

    Quotes that nobody closes are a letter like any other.
    """
    quote = first[:1]
    if not quote or quote not in QUOTES or closing(first, quote) > 0:
        return 1
    for following in range(number + 1, len(lines)):
        if closing(" " + lines[following], quote) > 0:
            return following - number + 1
    return 1


def closing(text: str, quote: str) -> int:
    """Where the quotes end that ``text`` begins in, or -1."""
    found = re.compile(rf"(?:\\.|[^\\{quote}])*({quote})", re.DOTALL).match(text, 1)
    return found.start(1) if found else -1


def plain(value: str) -> str:
    """The value without its quotes and without what follows it."""
    quote = value[:1]
    end = closing(value, quote) if quote and quote in QUOTES else -1
    if end > 0:
        return value[1:end]
    return re.split(r"#", value, maxsplit=1)[0].strip()
