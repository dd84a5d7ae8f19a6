"""Enumerations: numbers on the wire, words here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from llm_runner_router.errors import InvalidRequestError

Number = TypeVar("Number", bound=int)
Word = TypeVar("Word")


class Words(Generic[Number, Word]):
    """The words of an enumeration by number.

    Several numbers may mean one word, as UNSPECIFIED and a default do: the last of them is sent.
    """

    def __init__(self, words: Mapping[Number, Word]) -> None:
        self._words = words

    def word(self, number: Number, path: str) -> Word:
        """The word of a number; InvalidRequestError of ``path`` for an unknown one."""
        if number not in self._words:
            known = ", ".join(numbered(number, word) for number, word in self._words.items())
            raise InvalidRequestError(path, int(number), f"one of {known}")
        return self._words[number]

    def word_or(self, number: Number, default: Word) -> Word:
        """The word of a number; ``default`` for one that only a later version knows."""
        return self._words.get(number, default)

    def number(self, word: object, path: str) -> Number:
        """The number of a word; InvalidRequestError of ``path`` for an unknown one."""
        numbers = [number for number, known in self._words.items() if known == word]
        if numbers:
            return numbers[-1]
        words = dict.fromkeys(str(known) for known in self._words.values() if known is not None)
        raise InvalidRequestError(path, word, f"one of {', '.join(words)}")


def numbered(number: int, word: object) -> str:
    """A number with its word; a number that leaves the choice open has none."""
    return str(int(number)) if word is None else f"{int(number)} ({word})"
