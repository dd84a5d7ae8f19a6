"""JSON read together with where each key and each value stands in the text.

Strings, numbers and words are read by the module ``json``. What is taken and what is refused is
what it takes and refuses, but for NaN and the infinities, which are no JSON, and for a depth above
MAX_DEPTH. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

MAX_DEPTH = 100
"""Objects and lists in each other."""

SPACE = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: both numbers begin with 1, and a column is one character."""

    line: int
    column: int

    @classmethod
    def of(cls, text: str, offset: int) -> Position:
        """The place that ``offset`` characters lie before."""
        return cls(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


@dataclass(frozen=True, slots=True)
class Member:
    """A key of an object, and its value."""

    key: str
    offset: int
    value: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value. ``offset`` is where it begins.

    ``members`` are those of an object, in their order and with keys that stand twice; ``items`` are
    those of a list; else ``scalar`` is what it is.
    """

    offset: int
    members: Sequence[Member] | None = None
    items: Sequence[Node] | None = None
    scalar: Any = None

    def plain(self) -> Any:  # noqa: ANN401 - any JSON
        """The value as ``json.loads`` gives it: of keys that stand twice the last one counts."""
        if self.members is not None:
            return {member.key: member.value.plain() for member in self.members}
        if self.items is not None:
            return [item.plain() for item in self.items]
        return self.scalar


def read_json(text: str) -> Node:
    """The whole of a text. JSONDecodeError says where it is wrong."""
    reader = Reader(text)
    node, end = reader.value(after_space(text, 0), 0)
    end = after_space(text, end)
    if end < len(text):
        raise JSONDecodeError("nothing more is expected here", text, end)
    return node


def after_space(text: str, offset: int) -> int:
    """Where the next thing begins."""
    found = SPACE.match(text, offset)
    return offset if found is None else found.end()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one thing of a text at a time; each method gives it and where it ends."""

    text: str

    def value(self, offset: int, depth: int) -> tuple[Node, int]:
        """Any value that begins at ``offset``."""
        if depth > MAX_DEPTH:
            raise JSONDecodeError(f"more than {MAX_DEPTH} objects in each other", self.text, offset)
        match self.text[offset : offset + 1]:
            case "{":
                members, end = self._list(offset, "}", lambda at: self._member(at, depth))
                return Node(offset, members=members), end
            case "[":
                items, end = self._list(offset, "]", lambda at: self.value(at, depth + 1))
                return Node(offset, items=items), end
            case _:
                scalar, end = self._scalar(offset)
                return Node(offset, scalar=scalar), end

    def _list(
        self, offset: int, closing: str, read: Callable[[int], tuple[Any, int]]
    ) -> tuple[list[Any], int]:
        """What stands between two brackets, with commas between."""
        text, found = self.text, []
        offset = after_space(text, offset + 1)
        if text.startswith(closing, offset):
            return [], offset + 1
        while True:
            one, offset = read(offset)
            found.append(one)
            offset = after_space(text, offset)
            if text.startswith(closing, offset):
                return found, offset + 1
            if not text.startswith(",", offset):
                raise JSONDecodeError(f"a comma or {closing} is expected here", text, offset)
            offset = after_space(text, offset + 1)

    def _member(self, offset: int, depth: int) -> tuple[Member, int]:
        """A key and its value."""
        if not self.text.startswith('"', offset):
            raise JSONDecodeError("a key in double quotes is expected here", self.text, offset)
        key, end = self._scalar(offset)
        end = after_space(self.text, end)
        if not self.text.startswith(":", end):
            raise JSONDecodeError("a colon is expected here", self.text, end)
        value, end = self.value(after_space(self.text, end + 1), depth + 1)
        return Member(key, offset, value), end

    def _scalar(self, offset: int) -> tuple[Any, int]:
        """A text, a number or one of the three words."""
        try:
            return DECODER.raw_decode(self.text, offset)
        except JSONDecodeError:
            raise
        except ValueError as error:  # thousands of digits, or no number at all
            raise JSONDecodeError(str(error), self.text, offset) from None


def refuse_constant(name: str) -> NoReturn:
    """NaN and the infinities are no JSON."""
    raise ValueError(f"{name} is no JSON number")


DECODER = JSONDecoder(parse_constant=refuse_constant)
