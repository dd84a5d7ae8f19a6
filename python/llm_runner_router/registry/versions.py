"""Which version of a model is the highest."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable

PIECE = re.compile(r"[0-9]+|[^0-9.]+")

Piece = tuple[int, int, str]
Key = tuple[tuple[Piece, ...], tuple[Piece, ...], str]


class Versions:
    """The versions of every name, in their order (see ``key_of``)."""

    def __init__(self, models: Iterable[str]) -> None:
        self._by_name: dict[str, list[tuple[Key, str]]] = {}
        for model in models:
            self.add(model)

    def add(self, model: str) -> None:
        """Take note of a model that was not there; one without a version is none of ours."""
        name, sign, version = model.partition("@")
        if sign:
            insort(self._by_name.setdefault(name, []), (key_of(version), model))

    def drop(self, model: str) -> None:
        """Forget a model that was there."""
        name, sign, version = model.partition("@")
        if not sign:
            return
        versions = self._by_name[name]
        del versions[bisect_left(versions, (key_of(version), model))]
        if not versions:
            del self._by_name[name]

    def highest(self, name: str) -> str | None:
        """The id of the highest version of ``name``, where there is any."""
        versions = self._by_name.get(name)
        return versions[-1][1] if versions else None


def key_of(version: str) -> Key:
    """What versions are compared by.

    Pieces between points, and where digits and other characters meet, are compared one after the
    other: numbers by their value and above words, words as text; the longer of two that agree so
    far is the higher. What follows the first ``-`` is a pre-release, which lies below the same
    version without one. A ``v`` before the first digit means nothing. So 1.10 > 1.9 > 1.9-rc2 >
    1.9-rc1 > 1.8, and v2 > 1. Of equals the id decides.
    """
    core, sign, pre_release = re.sub(r"^[vV](?=[0-9])", "", version).partition("-")
    # Below everything that begins with a word or a number only nothing lies.
    last = () if sign else ((2, 0, ""),)
    return pieces(core), (*pieces(pre_release), *last), version


def pieces(text: str) -> tuple[Piece, ...]:
    """Numbers are compared by length and digits: they may be longer than int() takes."""
    found = []
    for piece in PIECE.findall(text):
        digits = piece.lstrip("0")
        number = piece[0] in "0123456789"
        found.append((1, len(digits), digits) if number else (0, 0, piece))
    return tuple(found)
