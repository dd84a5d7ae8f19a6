"""``llm-router route``: which model would answer, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, out, say
from llm_runner_router.cli.running import run
from llm_runner_router.decision import Decision, Exclusion, ScoredCandidate
from llm_runner_router.preferences import Routing, Strategy
from llm_runner_router.types import Request


def route(
    prompt: Annotated[str, typer.Argument(help="What would be asked.")],
    model: Annotated[
        str | None,
        typer.Option(help="The id of a model or an alias.", show_default="the service's choice"),
    ] = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option(help="How to choose.", show_default="the alias's or service's"),
    ] = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Explain which model would answer. Nothing is run."""
    run(explain(target, Request(prompt=prompt, model=model, routing=Routing(strategy=strategy))))


async def explain(target: str, request: Request) -> None:
    """The choice, and then the tables that led to it."""
    async with connected(target) as backend:
        decision = await backend.route(request)
    say(summary(decision))
    if decision.candidates:
        out.print(candidates_table(decision.candidates))
    if decision.excluded:
        out.print(exclusions_table(decision.excluded))


def summary(decision: Decision) -> str:
    """The choice in words."""
    parts = [decision.model]
    if decision.strategy:
        parts.append(f"by {decision.strategy}")
    if decision.rule:
        parts.append(f"by the rule {decision.rule}")
    if decision.fallbacks:
        parts.append(f"then {', '.join(decision.fallbacks)}")
    return ", ".join(parts)


def candidates_table(candidates: Sequence[ScoredCandidate]) -> Table:
    """A line a candidate, best first, with a column a part of its score."""
    parts = list(dict.fromkeys(name for candidate in candidates for name in candidate.parts))
    table = Table()
    table.add_column("candidate", overflow="fold")
    for header in ("score", *parts):
        table.add_column(cell(header), justify="right", no_wrap=True)
    for candidate in candidates:
        values = (candidate.parts.get(name) for name in parts)
        table.add_row(
            cell(candidate.model),
            f"{candidate.score:.3f}",
            *("" if value is None else f"{value:.3f}" for value in values),
        )
    return table


def exclusions_table(excluded: Sequence[Exclusion]) -> Table:
    """A line a model that could not answer, and why."""
    table = Table()
    table.add_column("excluded", overflow="fold")
    table.add_column("because", overflow="fold")
    for exclusion in excluded:
        table.add_row(cell(exclusion.model), cell(exclusion.reason))
    return table
