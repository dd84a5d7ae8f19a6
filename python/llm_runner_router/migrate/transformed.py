"""What a transformation has made of one JSON document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.migrate.fields import Field

UNMAPPED = "_unmapped"
"""The key under which a document keeps what has no place in it."""


@dataclass(frozen=True, slots=True)
class Transformed:
    """The new content, the fate of every leaf of the old one, and what the user should know.

    Content that needed no change is equal to the old one, and each field ``kept`` or ``mapped`` to
    its own path.
    """

    content: Mapping[str, Any]
    fields: Sequence[Field]
    notes: Sequence[str] = ()
