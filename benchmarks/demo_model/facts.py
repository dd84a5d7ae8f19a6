"""The facts that the demo model knows: for each an answer and the ways to ask for it.

They stand in ``facts/*.txt``: ``# id``, ``! answer``, ``= keywords; more keywords`` and one
question template a line. ``facts/slots.txt`` holds the alternatives that templates share.
"""

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.demo_model import grammar

FACTS_DIRECTORY = Path(__file__).parent / "facts"
_SLOTS_FILE = "slots.txt"
_HOW = "<how> "

Slots = dict[str, tuple[str, ...]]


class FactsError(ValueError):
    """A file of facts is malformed; the message names the file and the line."""


@dataclass
class Fact:
    """One thing that the model can say."""

    id: str
    answer: str = ""
    keywords: tuple[str, ...] = ()
    templates: list[str] = field(default_factory=list)


def load_slots(directory: Path = FACTS_DIRECTORY) -> Slots:
    """The shared alternatives, by the name of the slot."""
    slots: Slots = {}
    for line in (directory / _SLOTS_FILE).read_text(encoding="utf-8").splitlines():
        name, _, alternatives = line.partition("=")
        slots[name.strip()] = tuple(part.strip() for part in alternatives.split("|"))
    return slots


def load_facts(directory: Path = FACTS_DIRECTORY) -> list[Fact]:
    """All facts in the order of the files' names, checked to be complete and unique."""
    slots = load_slots(directory)
    facts: list[Fact] = []
    for path in sorted(directory.glob("*.txt")):
        if path.name != _SLOTS_FILE:
            facts.extend(_parse(path, slots))
    _check(facts)
    return facts


def _parse(path: Path, slots: Slots) -> list[Fact]:
    facts: list[Fact] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        if line.startswith("# "):
            facts.append(Fact(id=line[2:].strip()))
            continue
        if not facts:
            raise FactsError(f"{path.name}:{number}: the first line must be '# id'")
        try:
            _add_line(facts[-1], line, slots)
        except grammar.TemplateError as error:
            raise FactsError(f"{path.name}:{number}: {error}") from error
    return facts


def _add_line(fact: Fact, line: str, slots: Slots) -> None:
    if line.startswith("! "):
        fact.answer = line[2:].strip()
    elif line.startswith("= "):
        fact.keywords = tuple(part.strip() for part in line[2:].split(";"))
    else:
        grammar.check(line, slots)
        fact.templates.append(line)
        if line.startswith(_HOW):
            # "How do I load a model" is also asked as "I need to load a model. What now?"
            fact.templates.append(f"<want> {line.removeprefix(_HOW)}<then>")


def _check(facts: list[Fact]) -> None:
    ids: set[str] = set()
    answers: set[str] = set()
    for fact in facts:
        if not (fact.answer and fact.keywords and fact.templates):
            raise FactsError(f"fact {fact.id}: needs an answer, keywords and templates")
        if fact.id in ids or fact.answer in answers:
            raise FactsError(f"fact {fact.id}: its id or its answer appears twice")
        ids.add(fact.id)
        answers.add(fact.answer)
