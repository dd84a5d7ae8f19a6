"""What becomes of each value of an older file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """Where a value goes: to a setting of ours, or kept as it is though nothing here uses it.

    ``unmapped``: it has no place in the result. ``added``: it had none in the input.
    """

    MAPPED = "mapped"
    KEPT = "kept"
    UNMAPPED = "unmapped"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf of the input, and where it has gone.

    Paths are as in ``models[0].parameters.topP``: ``path`` in the input (empty where it was added),
    ``target`` in the result (empty where it is unmapped). An empty object or list is a leaf.
    ``note`` says in words what the user should know.
    """

    path: str
    fate: Fate
    target: str = ""
    note: str = ""
