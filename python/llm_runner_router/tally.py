"""What a request takes, counted while it runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from llm_runner_router.types import Metrics


@dataclass(slots=True)
class Tally:
    """The account of one request, readable at any moment, so also where it is cancelled."""

    begun: float = field(default_factory=time.monotonic)
    model: str = ""
    admission_ms: float = 0.0
    first_token_ms: float = 0.0
    completion_tokens: int = 0
    chunks: int = 0
    provider: Metrics = field(default_factory=Metrics)

    def elapsed_ms(self) -> float:
        """Milliseconds since the request came."""
        return (time.monotonic() - self.begun) * 1000.0

    def count(self, tokens: int) -> int:
        """Note a chunk of ``tokens`` tokens; its sequence number."""
        if tokens and not self.first_token_ms:
            self.first_token_ms = self.elapsed_ms()
        self.completion_tokens += tokens
        self.chunks += 1
        return self.chunks - 1

    def metrics(self) -> Metrics:
        """As they stand: times from arrival on, the queue before the engine counted in."""
        return replace(
            self.provider,
            completion_tokens=max(self.completion_tokens, self.provider.completion_tokens),
            duration_ms=self.elapsed_ms(),
            queue_ms=self.admission_ms + self.provider.queue_ms,
            first_token_ms=self.first_token_ms,
        )
