"""What is summed up of usage, in whole numbers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

from llm_runner_router.registry.records import UsageRow
from llm_runner_router.types import Metrics

PICODOLLARS = 10**12
"""Units of money in a US dollar: sums of whole numbers are exact in any order."""

MAX_COUNT = 2**62
"""Sums stop here, which the database can still keep."""

MAX_DOLLARS = 1e6
"""What one answer can cost; a provider that claims more is not believed."""

MAX_TOKENS = 2**40


@dataclass(slots=True)
class UsageCounts:
    """The sums of a row. The names are those of the table's columns."""

    requests: int = 0
    failures: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost_picodollars: int = 0
    saved_cost_picodollars: int = 0

    @classmethod
    def of(cls, metrics: Metrics, *, failed: bool) -> UsageCounts:
        """One request."""
        return cls(
            requests=1,
            failures=int(failed),
            prompt_tokens=tokens(metrics.prompt_tokens),
            cached_tokens=tokens(metrics.cached_tokens),
            completion_tokens=tokens(metrics.completion_tokens),
            reasoning_tokens=tokens(metrics.reasoning_tokens),
            cost_picodollars=picodollars(metrics.cost_usd),
            saved_cost_picodollars=picodollars(metrics.saved_cost_usd),
        )

    def add(self, other: UsageCounts) -> None:
        """Sum up."""
        for name in COUNTS:
            setattr(self, name, min(getattr(self, name) + getattr(other, name), MAX_COUNT))

    def row(self, day: str, caller: str, model: str) -> UsageRow:
        """As callers see it."""
        values = asdict(self)
        cost, saved = values.pop("cost_picodollars"), values.pop("saved_cost_picodollars")
        return UsageRow(
            day, caller, model, **values, cost_usd=dollars(cost), saved_cost_usd=dollars(saved)
        )


COUNTS = tuple(field.name for field in fields(UsageCounts))


def picodollars(usd: float) -> int:
    """The nearest whole amount from 0 to MAX_DOLLARS; what is no amount is 0."""
    if not math.isfinite(usd) or usd <= 0:
        return 0
    return round(min(usd, MAX_DOLLARS) * PICODOLLARS)


def dollars(amount: int) -> float:
    """The nearest number of US dollars."""
    return amount / PICODOLLARS


def tokens(count: int) -> int:
    """A count that can be one."""
    return min(max(count, 0), MAX_TOKENS)
