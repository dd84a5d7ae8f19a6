"""``llm-router usage``: what was used, by whom, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, show_whole
from llm_runner_router.cli.running import run
from llm_runner_router.registry.records import UsageQuery, UsageRow

TEXTS = ("day", "caller", "model")
HEADERS = {
    "requests": "requests",
    "failures": "failed",
    "prompt_tokens": "prompt",
    "cached_tokens": "cached",
    "completion_tokens": "answer",
    "reasoning_tokens": "reasoning",
    "cost_usd": "cost USD",
    "saved_cost_usd": "saved USD",
}
"""The fields that are numbers, and what they are called; those with tokens count them."""

DAYS = ["%Y-%m-%d"]


def usage(
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAYS, help="The first day (UTC)."),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", formats=DAYS, help="The last day (UTC), itself included."),
    ] = None,
    caller: Annotated[str, typer.Option(help="Of this caller only.", show_default="all")] = "",
    model: Annotated[str, typer.Option(help="Of this model only.", show_default="all")] = "",
    target: Target = DEFAULT_TARGET,
) -> None:
    """Show what was used a day by each caller of each model, and the sums."""
    run(print_usage(target, UsageQuery(day(first), day(last), caller, model)))


def day(moment: datetime | None) -> str:
    """As queries name it."""
    return "" if moment is None else moment.strftime("%Y-%m-%d")


async def print_usage(target: str, query: UsageQuery) -> None:
    """One table."""
    async with connected(target) as backend:
        rows = await backend.get_usage(query)
    show_whole(table_of(rows))


def table_of(rows: Sequence[UsageRow]) -> Table:
    """A line a row, and the sums below. What nobody used has no column."""
    table = Table(show_footer=True, box=SIMPLE, padding=0)
    for name in TEXTS:
        footer = "all" if name == TEXTS[0] else ""
        table.add_column(name, footer, overflow="fold")
    totals = {name: sum(getattr(row, name) for row in rows) for name in HEADERS}
    numbers = [name for name, total in totals.items() if total or name == "requests"]
    for name in numbers:
        total = number(name, totals[name])
        table.add_column(HEADERS[name], total, justify="right", no_wrap=True)
    for row in rows:
        texts = (cell(getattr(row, name)) for name in TEXTS)
        table.add_row(*texts, *(number(name, getattr(row, name)) for name in numbers))
    return table


def number(name: str, value: float) -> str:
    """Costs to a ten-thousandth of a cent."""
    return f"{value:.6f}" if name.endswith("_usd") else str(value)
