"""Keeps what users write from becoming control tokens on its way through a template."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from llm_runner_router.prompt.errors import ChatTemplateError

# Stand-ins come from the last plane of Unicode, which is for private use. Letters of that plane
# in a content get stand-ins too, so a content can never bring one along.
_FIRST, _LAST = 0x100000, 0x10FFFD
_STANDINS = re.compile(f"([{chr(_FIRST)}-{chr(_LAST)}]+)")


class Segment(NamedTuple):
    """A stretch of a prompt; control tokens are parsed in trusted ones only."""

    text: str
    trusted: bool


class ControlTexts:
    """The texts of a vocabulary's control tokens. Immutable and thread-safe.

    Args:
        texts: the texts.
        find: where a text holds them: (start, end), leftmost and longest first.
    """

    def __init__(
        self, texts: Sequence[str], find: Callable[[str], Sequence[tuple[int, int]]]
    ) -> None:
        self._find = find
        self._texts = sorted(texts)
        self._reversed = sorted(text[::-1] for text in texts)
        self._all = "\0".join(self._texts)
        self._longest = max(map(len, texts), default=0)

    def exposed_places(self, content: str) -> set[int]:
        """Letters of ``content`` without which no control token can touch it.

        All letters of the control texts inside, and the first or last letter where what stands
        before or behind could complete one, also if the template trims the content.
        """
        places = {place for start, end in self._find(content) for place in range(start, end)}
        core = content.strip()
        start = content.find(core)
        for text, first in ((content, 0), (core, start)):
            if text and (self._ends_one(text) or self._within_one(text)):
                places.add(first)
            if text and self._begins_one(text):
                places.add(first + len(text) - 1)
        return places

    def _begins_one(self, text: str) -> bool:
        sizes = range(1, min(len(text), self._longest) + 1)
        return any(_has_prefix(self._texts, text[-size:]) for size in sizes)

    def _ends_one(self, text: str) -> bool:
        sizes = range(1, min(len(text), self._longest) + 1)
        return any(_has_prefix(self._reversed, text[:size][::-1]) for size in sizes)

    def _within_one(self, text: str) -> bool:
        return len(text) < self._longest and text in self._all


class ContentGuard:
    """Swaps exposed letters for stand-ins before rendering and back afterwards.

    One letter for one, so that templates can trim, test and cut the content as ever. For one
    rendering only, not thread-safe.
    """

    def __init__(self, control: ControlTexts, template_source: str) -> None:
        self._control = control
        self._free = _free_standins(template_source)
        self._standin: dict[str, str] = {}
        self._letter: dict[str, str] = {}

    def protect(self, content: str) -> str:
        """``content`` with stand-ins in its exposed places."""
        places = self._control.exposed_places(content)
        places.update(
            place for found in _STANDINS.finditer(content) for place in range(*found.span())
        )
        if not places:
            return content
        letters = list(content)
        for place in places:
            letters[place] = self._standin_for(letters[place])
        return "".join(letters)

    def segments(self, rendered: str) -> list[Segment]:
        """The rendered prompt with its letters back, cut at every place that held a stand-in."""
        segments = []
        for number, stretch in enumerate(_STANDINS.split(rendered)):
            if number % 2:
                text = "".join(self._letter.get(letter, letter) for letter in stretch)
                segments.append(Segment(text, trusted=False))
            elif stretch:
                segments.append(Segment(stretch, trusted=True))
        return segments

    def _standin_for(self, letter: str) -> str:
        if letter not in self._standin:
            standin = next(self._free, None)
            if standin is None:
                raise ChatTemplateError("messages: too many different letters in control tokens")
            self._standin[letter] = standin
            self._letter[standin] = letter
        return self._standin[letter]


def _free_standins(source: str) -> Iterator[str]:
    used = frozenset(source)
    return (chr(code) for code in range(_FIRST, _LAST + 1) if chr(code) not in used)


def _has_prefix(texts: Sequence[str], prefix: str) -> bool:
    place = bisect_left(texts, prefix)
    return place < len(texts) and texts[place].startswith(prefix)
