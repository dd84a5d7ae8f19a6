"""``llm-router aliases``: names for several models."""

from __future__ import annotations

import math
from typing import Annotated

import typer
from rich.table import Column, Table

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, out, say, show_facts
from llm_runner_router.cli.running import run
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget

commands = typer.Typer(
    help="List and change the aliases of a running service: names for several models.",
    no_args_is_help=True,
)

HEADERS = ("alias", "models", "strategy", "fallbacks", "rules")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that requests use.")]


@commands.command("list")
def list_aliases(target: Target = DEFAULT_TARGET) -> None:
    """List the aliases of the service."""
    run(print_list(target))


async def print_list(target: str) -> None:
    """All in one table."""
    table = Table(*(Column(header, overflow="fold") for header in HEADERS))
    async with connected(target) as backend:
        for alias in await backend.list_aliases():
            table.add_row(*map(cell, row(alias)))
    out.print(table)


def row(alias: Alias) -> tuple[str, ...]:
    """An alias as a line of the table."""
    return (
        alias.id,
        ", ".join(map(target_text, alias.targets)),
        alias.strategy or "",
        ", ".join(alias.fallbacks),
        "; ".join(map(rule_text, alias.rules)),
    )


def target_text(target: AliasTarget) -> str:
    """As ``aliases set`` takes it."""
    return target.model if target.weight == 1 else f"{target.model}={target.weight:g}"


def rule_text(rule: AliasRule) -> str:
    """When the rule fits, and to whom it sends."""
    return f"{rule.key} is {' or '.join(rule.values)}: {rule.model}"


def parse_target(text: str) -> AliasTarget:
    """``model`` or ``model=weight``."""
    model, separator, weight = text.rpartition("=")
    if not separator:
        return AliasTarget(text)
    try:
        number = float(weight)
    except ValueError:
        number = -1.0
    if not model or not math.isfinite(number) or number < 0:
        raise typer.BadParameter(f"{text!r} is not of the form model or model=weight")
    return AliasTarget(model, number)


def parse_rule(text: str) -> AliasRule:
    """``key=value,value:model``. Values hold neither commas nor colons; a model's id may."""
    key, _, rest = text.partition("=")
    values, _, model = rest.partition(":")
    parts = values.split(",")
    if not (key and model and all(parts)):
        raise typer.BadParameter(f"{text!r} is not of the form key=value,value:model")
    return AliasRule(key, tuple(parts), model)


@commands.command("show")
def show(name: Name, target: Target = DEFAULT_TARGET) -> None:
    """Show an alias."""
    run(print_alias(target, name))


async def print_alias(target: str, name: str) -> None:
    """Every fact with a value; lists a line each."""
    async with connected(target) as backend:
        alias = await backend.get_alias(name)
    show_facts(
        {
            "alias": alias.id,
            "models": "\n".join(map(target_text, alias.targets)),
            "strategy": alias.strategy,
            "fallbacks": "\n".join(alias.fallbacks),
            "rules": "\n".join(map(rule_text, alias.rules)),
        }
    )


@commands.command("set")
def set_alias(  # noqa: PLR0913, PLR0917 - each option is a parameter
    name: Name,
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL[=WEIGHT]...",
            help="The models behind it; weights count in weighted and canary splits.",
        ),
    ],
    strategy: Annotated[
        Strategy | None,
        typer.Option(help="How one of them is chosen.", show_default="the service's"),
    ] = None,
    fallback: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL", help="Tried after them, in this order. Repeatable."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE[,VALUE]:MODEL",
            help="Requests with this metadata go to this model. Repeatable; the first that fits.",
        ),
    ] = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Create an alias, or replace it whole and say what it was."""
    alias = Alias(
        name,
        tuple(map(parse_target, models)),
        strategy,
        tuple(fallback or ()),
        tuple(map(parse_rule, rule or ())),
    )
    run(keep(target, alias))


async def keep(target: str, alias: Alias) -> None:
    """Set and say so; an alias that is gone now is told, so that it can be set again."""
    async with connected(target) as backend:
        try:
            old = await backend.get_alias(alias.id)
        except ResourceNotFoundError:
            old = None
        kept = await backend.set_alias(alias)
    say(f"set {kept.id}: {', '.join(map(target_text, kept.targets))}")
    if old is not None:
        say(f"replaced: {whole(old)}")


def whole(alias: Alias) -> str:
    """All of an alias but its name, in a line."""
    parts = [", ".join(map(target_text, alias.targets))]
    if alias.strategy is not None:
        parts.append(f"by {alias.strategy}")
    if alias.fallbacks:
        parts.append(f"then {', '.join(alias.fallbacks)}")
    return "; ".join((*parts, *map(rule_text, alias.rules)))


@commands.command("remove")
def remove(name: Name, target: Target = DEFAULT_TARGET) -> None:
    """Forget an alias. Its models stay."""
    run(forget(target, name))


async def forget(target: str, name: str) -> None:
    """Remove and say so."""
    async with connected(target) as backend:
        await backend.delete_alias(name)
    say(f"removed {name}")
