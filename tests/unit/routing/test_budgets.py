from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import BudgetError
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage import spending
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.routing.budgets import Budgets
from llm_runner_router.types import Metrics

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOURS = 3600.0


class Desk:
    """Budgets over a ledger, with a clock to be set."""

    def __init__(self) -> None:
        self.now = NOON
        self.ledger: UsageLedger
        self.budgets: Budgets

    def spend(self, usd: float, caller: str = "alice", model: str = "m") -> None:
        self.ledger.record(caller, model, Metrics(cost_usd=usd), failed=False)

    def refused(self, caller: str = "alice") -> BudgetError:
        with pytest.raises(BudgetError) as caught:
            self.budgets.check(caller)
        return caught.value


@asynccontextmanager
async def desk(budgets: Mapping[str, Any]) -> AsyncIterator[Desk]:
    store = await RegistryStore.open(None)
    made = Desk()
    config = Config.checked({"budgets": budgets})
    made.ledger = await UsageLedger.open(store.database, lambda: made.now)
    made.budgets = Budgets(made.ledger, lambda: config, lambda: made.now)
    yield made
    await made.ledger.close()
    await store.close()


async def test_without_budgets_nothing_is_refused() -> None:
    async with desk({}) as made:
        made.spend(1000.0)
        made.budgets.check("alice")
        assert made.budgets.model_error("m") is None


async def test_a_budget_ends_where_it_is_reached() -> None:
    async with desk({"total": {"day": 0.3}}) as made:
        made.spend(0.1)
        made.spend(0.1, "bob")
        made.budgets.check("alice")
        made.spend(0.1, "carol")
        error = made.refused()
        assert (error.subject, error.retry_after) == ("all callers, day", 12 * HOURS)
        assert (error.limit_usd, error.spent_usd) == (0.3, 0.3)


async def test_a_day_ends_at_midnight_in_utc() -> None:
    async with desk({"total": {"day": 1.0}}) as made:
        made.spend(1.0)
        made.now = datetime(2026, 11, 25, 1, 30, tzinfo=timezone(timedelta(hours=2)))
        assert made.refused().retry_after == 0.5 * HOURS
        made.now = datetime(2026, 11, 25, 2, tzinfo=timezone(timedelta(hours=2)))
        made.budgets.check("alice")


async def test_a_month_goes_on_over_its_days() -> None:
    async with desk({"total": {"month": 1.0}}) as made:
        made.spend(0.5)
        made.now += timedelta(days=3)
        made.spend(0.5)
        made.now += timedelta(days=3)
        error = made.refused()
        assert (error.subject, error.retry_after) == ("all callers, month", 12 * HOURS)
        made.now += timedelta(hours=12)
        made.budgets.check("alice")


async def test_the_end_of_december() -> None:
    async with desk({"total": {"month": 0.0}}) as made:
        made.now = datetime(2026, 12, 31, 23, tzinfo=UTC)
        assert made.refused().retry_after == HOURS


async def test_the_budget_that_holds_longest_is_named() -> None:
    async with desk({"total": {"day": 1.0}, "eachCaller": {"day": 1.0, "month": 1.0}}) as made:
        made.spend(1.0)
        error = made.refused()
        assert (error.subject, error.retry_after) == ("caller alice, month", 6.5 * 24 * HOURS)


async def test_callers_have_budgets_apart() -> None:
    limits = {"eachCaller": {"day": 1.0}, "callers": {"bob": {"day": 2.0}, "carol": {}}}
    async with desk(limits) as made:
        for caller in ("alice", "bob", "carol"):
            made.spend(1.5, caller)
        assert made.refused("alice").subject == "caller alice, day"
        made.budgets.check("bob")
        made.budgets.check("carol")
        made.budgets.check("dave")
        made.spend(0.5, "bob")
        assert made.refused("bob").limit_usd == 2.0


async def test_models_have_budgets() -> None:
    async with desk({"models": {"m": {"day": 1.0}, "n": {"month": 1.0}}}) as made:
        made.spend(1.0, model="m")
        made.spend(0.5, model="n")
        error = made.budgets.model_error("m")
        assert error is not None
        assert (error.subject, error.retry_after) == ("model m, day", 12 * HOURS)
        assert made.budgets.model_error("n") is None
        assert made.budgets.model_error("other") is None
        made.budgets.check("alice")


async def test_a_limit_of_zero_refuses_everything() -> None:
    async with desk({"callers": {"bob": {"day": 0.0}}, "models": {"m": {"month": 0}}}) as made:
        assert made.refused("bob").spent_usd == 0.0
        assert made.budgets.model_error("m") is not None
        made.budgets.check("alice")


async def test_very_many_callers_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "MAX_CALLERS", 2)
    async with desk({"eachCaller": {"day": 1.0}}) as made:
        made.spend(0.1, "alice")
        made.spend(0.1, "bob")
        made.spend(0.6, "carol")
        made.budgets.check("dave")
        made.spend(0.6, "dave")
        assert made.refused("erin").subject == "caller (others), day"
        made.budgets.check("alice")
