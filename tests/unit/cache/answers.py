"""Answers, and computations of them that a test steers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    Metrics,
    Request,
    Started,
    TokenLogprob,
    TopLogprob,
)

GREEDY = Request(prompt="why?", temperature=0)
METRICS = Metrics(prompt_tokens=3, completion_tokens=2, duration_ms=9, queue_ms=1, cost_usd=0.25)


def events(
    text: str = "because", reason: FinishReason = FinishReason.STOP, request_id: str = "first"
) -> list[Event]:
    """A whole answer of model ``m``, a chunk a letter."""
    known = TokenLogprob(7, "w", None, (TopLogprob(8, "x", -0.5),))
    chunks = [Chunk(letter, (ord(letter),), place) for place, letter in enumerate(text)]
    return [Started(request_id, "m", (known,)), *chunks, Complete(reason, "m", METRICS)]


class Computation:
    """Yields ``answer``: an event each time ``allow`` is released, all where ``gate`` is open.

    ``failure`` comes after ``fails_after`` events; ``deadlines`` are those it was begun with.
    """

    def __init__(
        self,
        answer: Sequence[Event] = (),
        *,
        open_gate: bool = True,
        failure: Exception | None = None,
        fails_after: int = 0,
    ) -> None:
        self.answer = list(answer or events())
        self.failure = failure
        self.fails_after = fails_after
        self.allowed = asyncio.Semaphore(10_000 if open_gate else 0)
        self.begun = 0
        self.deadlines: list[float | None] = []
        self.running = 0
        self.cancelled = 0

    async def __call__(self, deadline: float | None = None) -> AsyncGenerator[Event, None]:
        self.begun += 1
        self.deadlines.append(deadline)
        self.running += 1
        try:
            for place, event in enumerate(self.answer):
                await self.allowed.acquire()
                if self.failure is not None and place >= self.fails_after:
                    raise self.failure
                yield event
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def allow(self, count: int = 1) -> None:
        for _ in range(count):
            self.allowed.release()
