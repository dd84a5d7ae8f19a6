"""What may be spent: checked before a request runs, settled by what is booked after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from llm_runner_router.config.routing import Budget
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import BudgetError
from llm_runner_router.registry.usage.ledger import UsageLedger, utc_now


class Budgets:
    """Belongs to the ledger's event loop. ``now`` tells the time with its zone.

    A budget is used up once as much as its limit has been spent, so that 0 refuses everything. The
    requests that run at that moment end as they would, so more than the limit may be spent.
    """

    def __init__(
        self,
        ledger: UsageLedger,
        config: Callable[[], Config],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._ledger = ledger
        self._config = config
        self._now = now

    def check(self, caller: str) -> None:
        """BudgetError where the whole budget or the caller's is used up."""
        budgets = self._config().budgets
        name = self._ledger.booked_as(caller)
        own = budgets.callers.get(caller, budgets.each_caller)
        errors = [
            *self._errors("all callers", budgets.total),
            *self._errors(f"caller {name}", own, caller=name),
        ]
        if errors:
            raise latest(errors)

    def model_error(self, model: str) -> BudgetError | None:
        """Why ``model`` may not be used, where its budget is used up."""
        budget = self._config().budgets.models.get(model)
        if budget is None:
            return None
        errors = list(self._errors(f"model {model}", budget, model=model))
        return latest(errors) if errors else None

    def _errors(
        self, subject: str, budget: Budget, *, caller: str = "", model: str = ""
    ) -> Iterator[BudgetError]:
        """The periods whose limit is reached."""
        if budget.day is None and budget.month is None:
            return
        now = self._now().astimezone(UTC)
        day = now.date().isoformat()
        for word, period, limit in (("day", day, budget.day), ("month", day[:7], budget.month)):
            if limit is None:
                continue
            spent = self._ledger.spent(period, caller, model)
            if spent >= limit:
                yield BudgetError(
                    f"{subject}, {word}",
                    limit_usd=limit,
                    spent_usd=spent,
                    retry_after=(end_of(word, now) - now).total_seconds(),
                )


def latest(errors: list[BudgetError]) -> BudgetError:
    """The one that holds longest: trying again before its end is in vain."""
    return max(errors, key=lambda error: error.retry_after)


def end_of(word: str, now: datetime) -> datetime:
    """When the day or the month of ``now`` ends."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word == "day":
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
