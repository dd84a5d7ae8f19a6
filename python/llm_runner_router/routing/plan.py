"""What the router decides and the attempts carry out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_runner_router.decision import Decision
from llm_runner_router.registry.records import ModelRecord


@dataclass(frozen=True, slots=True)
class Plan:
    """The models that may answer, the chosen one first; ``order`` is never empty.

    ``prompt_tokens`` is an estimate of the prompt's length.
    """

    decision: Decision
    order: Sequence[ModelRecord]
    prompt_tokens: int
