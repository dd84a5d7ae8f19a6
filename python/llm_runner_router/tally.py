"""What a request takes, counted while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from llm_runner_router.decision import Attempt
from llm_runner_router.types import Metrics


@dataclass(slots=True)
class Tally:
    """The account of one request, readable at any moment, so also where it is cancelled.

    ``model`` is the one that answers, or was tried last. ``attempts`` are those that have ended, in
    that order: the one that answers is the last. ``clock`` tells seconds.
    """

    clock: Callable[[], float] = time.monotonic
    begun: float = field(init=False)
    model: str = ""
    admission_ms: float = 0.0
    first_token_ms: float = 0.0
    completion_tokens: int = 0
    chunks: int = 0
    provider: Metrics = field(default_factory=Metrics)
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    @property
    def cost_usd(self) -> float:
        """US dollars of all attempts that have ended."""
        return sum(attempt.cost_usd for attempt in self.attempts)

    def elapsed_ms(self) -> float:
        """Milliseconds since the request came."""
        return (self.clock() - self.begun) * 1000.0

    def count(self, tokens: int) -> int:
        """Note a chunk of ``tokens`` tokens, 0 where they are not known; its sequence number."""
        if not self.chunks:
            self.first_token_ms = self.elapsed_ms()
        self.completion_tokens += tokens
        self.chunks += 1
        return self.chunks - 1

    def metrics(self, *, cost_usd: float | None = None) -> Metrics:
        """As they stand: times from arrival on, the queue before the engine counted in.

        The cost is that of all attempts, or ``cost_usd``.
        """
        return replace(
            self.provider,
            completion_tokens=self.provider.completion_tokens or self.completion_tokens,
            duration_ms=self.elapsed_ms(),
            queue_ms=self.admission_ms + self.provider.queue_ms,
            first_token_ms=self.first_token_ms,
            cost_usd=self.cost_usd if cost_usd is None else cost_usd,
        )
