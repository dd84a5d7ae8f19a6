"""What becomes of the leaves of a part of a file, before its place in the result is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.langchain.node import Node
from llm_runner_router.migrate.leaves import leaf_paths

NOT_SET = "null: not set"
UNKNOWN = "nothing here uses it"


@dataclass(frozen=True, slots=True)
class Claim:
    """The leaves of ``value`` at ``path``; ``part`` is their place below the thing they become."""

    path: str
    value: Any
    fate: Fate
    part: str = ""
    note: str = ""


@dataclass(slots=True)
class Claims:
    """All claims of one thing."""

    made: list[Claim] = field(default_factory=list)

    def map(self, path: str, value: object, part: str, note: str = "") -> None:
        """They have become ``part``."""
        self.made.append(Claim(path, value, Fate.MAPPED, part, note))

    def drop(self, path: str, value: object, note: str) -> None:
        """They have no place."""
        self.made.append(Claim(path, value, Fate.UNMAPPED, note=note))

    def head(self, node: Node, part: str) -> None:
        """What says what the node is has become the thing itself."""
        for path, value in node.head.items():
            self.map(path, value, part)


class Ledger:
    """The fate of each leaf of a document. The first word about a leaf counts."""

    def __init__(self, document: object) -> None:
        self._order = leaf_paths(document)
        self._fields: dict[str, Field] = {}

    def enter(self, claims: Iterable[Claim], places: dict[str, str]) -> None:
        """Enter claims; ``places`` says where the template and the model stand that they name."""
        for claim in claims:
            thing, _, rest = claim.part.partition(".")
            place = places.get(thing, "")
            if claim.fate is Fate.UNMAPPED:
                self.say(claim.path, claim.value, Fate.UNMAPPED, note=claim.note)
            elif not place:
                self.say(claim.path, claim.value, Fate.UNMAPPED, note=f"no {thing} goes with it")
            else:
                target = f"{place}.{rest}" if rest else place
                self.say(claim.path, claim.value, claim.fate, target, claim.note)

    def say(self, path: str, value: object, fate: Fate, target: str = "", note: str = "") -> None:
        """Enter the leaves of ``value`` at ``path``."""
        for leaf in leaf_paths(value, path):
            self._fields.setdefault(leaf, Field(leaf, fate, target, note))

    def knows(self, leaf: str) -> bool:
        """Whether something was said about a leaf."""
        return leaf in self._fields

    def finished(self) -> tuple[Field, ...]:
        """All leaves in their order; those of which nothing was said are unmapped."""
        return tuple(
            self._fields.get(leaf, Field(leaf, Fate.UNMAPPED, note=UNKNOWN)) for leaf in self._order
        )
