"""Finding the texts of special tokens in a text, in linear time however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tokenizers import AddedToken
from tokenizers import Tokenizer as HfTokenizer
from tokenizers.models import BPE

if TYPE_CHECKING:
    from collections.abc import Mapping


class Match(NamedTuple):
    """``token`` stands at ``text[start:end]``."""

    start: int
    end: int
    token: int


class SpecialTokenFinder:
    """Leftmost, then longest, never overlapping. Immutable and thread-safe."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        # An empty model drops ordinary text, so what is left are the added tokens: their library
        # searches with an automaton, where a regular expression could be made to run away.
        self._ids = dict(ids)
        self._automaton = HfTokenizer(BPE())
        self._automaton.add_tokens([AddedToken(text, normalized=False) for text in ids])

    def find(self, text: str) -> list[Match]:
        """Every match in ``text``, from left to right."""
        if not self._ids or not text:
            return []
        encoding = self._automaton.encode(text, add_special_tokens=False)
        return [Match(start, end, self._ids[text[start:end]]) for start, end in encoding.offsets]
