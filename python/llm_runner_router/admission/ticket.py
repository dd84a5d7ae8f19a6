"""What admission is told of a request."""

from __future__ import annotations

from dataclasses import dataclass

from llm_runner_router.preferences import Priority


@dataclass(frozen=True, slots=True)
class Ticket:
    """``deadline`` is a time of ``time.monotonic()``; ``tokens`` estimates the prompt's length."""

    caller: str = "anonymous"
    priority: Priority = Priority.NORMAL
    deadline: float | None = None
    tokens: int = 1
