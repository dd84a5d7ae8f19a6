"""What attempts are made with."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from llm_runner_router.config.tree import Config
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.time_limits import Clock
from llm_runner_router.types import Metrics


class Leases(Protocol):
    """Where providers come from."""

    def lease(self, model: str) -> AbstractAsyncContextManager[Provider]:
        """The provider of a model, kept while the block runs."""
        ...


class Work(Protocol):
    """Who counts what each model has to do."""

    def carrying(self, model: str, tokens: int) -> AbstractContextManager[None]:
        """``tokens`` more while the block runs."""
        ...


class PriceList(Protocol):
    """Who knows what answers cost."""

    def cost(self, record: ModelRecord, metrics: Metrics) -> float:
        """US dollars."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """All that an attempt needs of the service. ``clock`` is ``time.monotonic`` or stands in."""

    residency: Leases
    breakers: Breakers
    measurements: Measurements
    loads: Work
    prices: PriceList
    config: Callable[[], Config]
    clock: Clock
    chance: random.Random
