from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.usage.spending import Spending, Spent

TODAY = date(2026, 12, 1)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3).map(lambda days: (TODAY - timedelta(days=days)).isoformat()),
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["m", "n"]),
        st.integers(0, 10**18),
    )
)
PERIODS = ("2026-12-01", "2026-11-30", "2026-12", "2026-11")


def sums(spending: Spending) -> dict[str, tuple[int, dict[str, int], dict[str, int]]]:
    """What was spent by whom and on what, without names that spent nothing."""
    found = {period: spending.of(period) for period in PERIODS}
    return {
        period: (
            spent.total,
            {name: amount for name, amount in spent.callers.items() if amount},
            {name: amount for name, amount in spent.models.items() if amount},
        )
        for period, spent in found.items()
    }


@given(ROWS, ROWS)
def test_a_corrected_day_is_as_if_it_had_been_added(
    before: list[tuple[str, str, str, int]], after: list[tuple[str, str, str, int]]
) -> None:
    """Today and yesterday are as ``after`` says; the days before them as ``before`` does."""
    corrected, wanted = Spending(), Spending()
    for spending in (corrected, wanted):
        spending.add("2026-12-01", "", "", 0)
    days = {day: Spent() for day in PERIODS[:2]}
    for row in before:
        corrected.add(*row)
        if row[0] not in days:
            wanted.add(*row)
    for day, caller, model, amount in after:
        if day in days:
            days[day].add(caller, model, amount)
            wanted.add(day, caller, model, amount)
    for day, spent in days.items():
        corrected.correct(day, spent)
    assert sums(corrected) == sums(wanted)


def test_a_correction_may_begin_a_day() -> None:
    spending = Spending()
    spending.add("2026-10-31", "alice", "m", 1)
    spending.correct("2026-12-01", Spent(2, {"bob": 2}, {"m": 2}))
    assert spending.of("2026-12").callers == {"bob": 2}
    assert spending.of("2026-10").total == 0
    spending.correct("2026-11-29", Spent(4, {"bob": 4}, {"m": 4}))  # forgotten
    assert spending.of("2026-11").total == spending.of("2026-11-29").total == 0
