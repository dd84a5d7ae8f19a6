"""What records and limits ask of the models in memory, as they are at the moment."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from llm_runner_router.errors import ModelNotFoundError
from llm_runner_router.registry.records import ModelRecord


def endless() -> int:
    """No limit of memory."""
    return sys.maxsize


def never() -> float:
    """No limit of time."""
    return 0.0


@dataclass(frozen=True, slots=True)
class ResidencyLimits:
    """What holds for all models together; both are asked whenever they matter.

    ``memory_bytes``: what all may take; ``idle_timeout``: seconds without a request after which a
    model is sent away, 0: never.
    """

    memory_bytes: Callable[[], int] = endless
    idle_timeout: Callable[[], float] = never


class ResidencyRules:
    """Records over limits. A model that is no longer registered has no wishes of its own."""

    def __init__(self, find: Callable[[str], ModelRecord], limits: ResidencyLimits) -> None:
        self._find = find
        self._limits = limits

    def memory_bytes(self) -> int:
        """What all models may take."""
        return self._limits.memory_bytes()

    def present(self, model: str) -> ModelRecord | None:
        """Its record, where it is registered."""
        try:
            return self._find(model)
        except ModelNotFoundError:
            return None

    def pinned(self, model: str) -> bool:
        """Whether it stays until somebody unloads it."""
        record = self.present(model)
        return record is not None and record.config.pinned is True

    def idle_timeout(self, model: str) -> float:
        """Seconds without a request after which it is sent away; 0: never."""
        if self.pinned(model):
            return 0.0
        record = self.present(model)
        own = None if record is None else record.config.idle_timeout
        return self._limits.idle_timeout() if own is None else own

    def concurrent_requests(self, model: str) -> int | None:
        """How many requests may run on it at once; ``None``: any number."""
        record = self.present(model)
        return None if record is None else record.limits.concurrent_requests
