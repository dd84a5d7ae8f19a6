"""``llm-router templates``: prompts with variables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, out, say, show_facts
from llm_runner_router.cli.running import run
from llm_runner_router.registry.records import PromptTemplate

commands = typer.Typer(
    help="List and change the prompt templates of a running service.", no_args_is_help=True
)

HEADERS = ("template", "name", "format", "stop", "models")
TEXTS = {"id": "id", "format": "format", "name": "name"}
LISTS = {
    "stopTokens": "stop_tokens",
    "stop_tokens": "stop_tokens",
    "modelCompatibility": "model_compatibility",
    "model_compatibility": "model_compatibility",
}


@commands.command("list")
def list_templates(target: Target = DEFAULT_TARGET) -> None:
    """List the templates of the service."""
    run(print_list(target))


async def print_list(target: str) -> None:
    """All in one table."""
    table = Table(*(Column(header, overflow="fold") for header in HEADERS))
    async with connected(target) as backend:
        for template in await backend.list_templates():
            table.add_row(*map(cell, row(template)))
    out.print(table)


def row(template: PromptTemplate) -> tuple[str, ...]:
    """A template as a line of the table; its stop strings as JSON, for they may be line ends."""
    return (
        template.id,
        template.name,
        template.format,
        ", ".join(map(json.dumps, template.stop_tokens)),
        ", ".join(template.model_compatibility) or "all",
    )


@commands.command("show")
def show(
    template: Annotated[str, typer.Argument(help="The id of the template.")],
    target: Target = DEFAULT_TARGET,
) -> None:
    """Show a template."""
    run(print_template(target, template))


async def print_template(target: str, name: str) -> None:
    """Every fact with a value."""
    async with connected(target) as backend:
        template = await backend.get_template(name)
    show_facts(dict(zip(HEADERS, row(template), strict=True)))


def read_template(path: Path) -> PromptTemplate:
    """The template in a JSON file; typer.BadParameter names what is wrong with it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(values, dict):
        raise typer.BadParameter(f"{path} holds no JSON object")
    fields = dict(parse_field(path, key, value) for key, value in values.items())
    if missing := sorted({"id", "format"} - fields.keys()):
        raise typer.BadParameter(f"{path} lacks {' and '.join(missing)}")
    return PromptTemplate(**fields)


def parse_field(path: Path, key: str, value: object) -> tuple[str, Any]:
    """The name of a field and its value, checked for its kind."""
    if key in TEXTS:
        if isinstance(value, str):
            return TEXTS[key], value
        raise typer.BadParameter(f"{path}: {key} is no text")
    if key in LISTS:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return LISTS[key], tuple(value)
        raise typer.BadParameter(f"{path}: {key} is no list of texts")
    known = ", ".join((*TEXTS, "stopTokens", "modelCompatibility"))
    raise typer.BadParameter(f"{path}: {key} is unknown; known: {known}")


@commands.command("set")
def set_template(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.json",
            help="A JSON object: id, format, and perhaps name, stopTokens, modelCompatibility.",
        ),
    ],
    target: Target = DEFAULT_TARGET,
) -> None:
    """Create a template, or replace it. {question} is a variable, {{ and }} are braces."""
    run(keep(target, read_template(file)))


async def keep(target: str, template: PromptTemplate) -> None:
    """Set and say so."""
    async with connected(target) as backend:
        kept = await backend.set_template(template)
    say(f"set {kept.id}")


@commands.command("remove")
def remove(
    template: Annotated[str, typer.Argument(help="The id of the template.")],
    target: Target = DEFAULT_TARGET,
) -> None:
    """Forget a template."""
    run(forget(target, template))


async def forget(target: str, template: str) -> None:
    """Remove and say so."""
    async with connected(target) as backend:
        await backend.delete_template(template)
    say(f"removed {template}")
