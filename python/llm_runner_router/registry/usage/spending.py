"""What was spent lately, kept in memory so that budgets are checked without waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

MAX_CALLERS = 10_000
"""Callers of a month that are told apart: whoever sends requests chooses their names."""

OTHERS = "(others)"
"""Under this name all further callers are booked together."""


@dataclass(slots=True)
class Spent:
    """Sums of one period in picodollars."""

    total: int = 0
    callers: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)

    def add(self, caller: str, model: str, amount: int) -> None:
        """Sum up."""
        self.total += amount
        self.callers[caller] = self.callers.get(caller, 0) + amount
        self.models[model] = self.models.get(model, 0) + amount

    def move(self, before: Spent, after: Spent) -> None:
        """Sum up by how much ``after`` is more than ``before``."""
        self.total += after.total - before.total
        shift(self.callers, before.callers, after.callers)
        shift(self.models, before.models, after.models)


NOTHING = Spent()


class Spending:
    """Sums by day (``2026-11-24``) and month (``2026-11``), both in UTC.

    Days before yesterday and months before the last one are forgotten as time goes on.
    """

    def __init__(self) -> None:
        self._periods: dict[str, Spent] = {}
        self._latest = ""
        self._first_day = ""
        self._first_month = ""

    def add(self, day: str, caller: str, model: str, amount: int) -> None:
        """Sum up ``amount`` picodollars."""
        if day > self._latest:
            self._forget(day)
        if day >= self._first_day:
            self._periods.setdefault(day, Spent()).add(caller, model, amount)
        if day[:7] >= self._first_month:
            self._periods.setdefault(day[:7], Spent()).add(caller, model, amount)

    def correct(self, day: str, spent: Spent) -> None:
        """Put ``spent`` in the place of a day's sums; its month moves by the difference.

        A day that is forgotten stays so.
        """
        if day > self._latest:
            self._forget(day)
        if day < self._first_day:
            return
        self._periods.setdefault(day[:7], Spent()).move(self.of(day), spent)
        self._periods[day] = spent

    def of(self, period: str) -> Spent:
        """The sums of a day or a month. Not to be changed."""
        return self._periods.get(period, NOTHING)

    def booked_as(self, day: str, caller: str) -> str:
        """The name under which ``caller`` is booked on that day."""
        callers = self.of(day[:7]).callers
        return caller if caller in callers or len(callers) < MAX_CALLERS else OTHERS

    def _forget(self, latest: str) -> None:
        self._latest = latest
        self._first_day = (date.fromisoformat(latest) - timedelta(days=1)).isoformat()
        self._first_month = last_month(date.fromisoformat(latest))
        self._periods = {
            period: spent
            for period, spent in self._periods.items()
            if period >= (self._first_day if len(period) > len("2026-11") else self._first_month)
        }


def shift(sums: dict[str, int], before: dict[str, int], after: dict[str, int]) -> None:
    """Sum up by how much ``after`` is more than ``before``, name by name."""
    for name in before.keys() | after.keys():
        more = after.get(name, 0) - before.get(name, 0)
        sums[name] = sums.get(name, 0) + more


def last_month(day: date) -> str:
    """The month before that of ``day``."""
    return (day.replace(day=1) - timedelta(days=1)).isoformat()[:7]
