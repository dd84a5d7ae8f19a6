"""Between whom a request is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import Alias, ModelRecord


@dataclass(frozen=True, slots=True)
class Candidates:
    """All models that may answer a request, whatever state they are in, and what chooses.

    ``records`` hold each model once. ``fallbacks`` are ids in the order in which they are tried
    after the others, ``alias`` is the one that the request goes to. ``strategy`` is ``None`` where
    there is nothing to choose; ``sticky`` is what a canary split sticks to, empty for other
    strategies.
    """

    records: Sequence[ModelRecord]
    fallbacks: Sequence[str] = ()
    alias: Alias | None = None
    strategy: Strategy | None = None
    sticky: str = ""
