# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the engine
"""``llm-router migrate ollama``: the models of Ollama, without copying them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, out, say
from llm_runner_router.cli.pull import Shown, new_bar
from llm_runner_router.cli.running import FAILED, run
from llm_runner_router.local_path import expanded

if TYPE_CHECKING:
    from llm_runner_router.backend import Backend
    from llm_runner_router.migrate.ollama.registration import Line

HEADERS = ("model", "result", "id", "alias", "runs", "notes")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    store: Path | None
    host: str | None
    dry_run: bool
    json: bool
    yes: bool


def migrate_ollama(  # noqa: PLR0913, PLR0917 - each option is a parameter
    store: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of Ollama's models on this machine.",
            show_default="OLLAMA_MODELS, else Ollama's usual folders",
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A running server of Ollama. What lies in the folder too is run here, the rest "
            "goes on being answered by that server.",
            show_default="the folder alone",
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="For programs: what became of each model.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002
    target: Target = DEFAULT_TARGET,
) -> None:
    """Register all models of Ollama with a running service, where they lie.

    Exit code 0: all of them are registered now, or were before. 1: some are not; the others are.
    2: wrong usage. 3: no service, or no server of Ollama answers.
    """
    folder = None if store is None else expanded(store)
    options = Options(folder, host, dry_run, as_json, yes)
    if not (dry_run or yes) and (as_json or not attended()):
        raise typer.BadParameter("--yes or --dry-run is needed where nobody can be asked")
    run(migrate(target, options))


def attended() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


async def migrate(target: str, options: Options) -> None:
    """Find, plan, ask, register, and show what became of each model."""
    from llm_runner_router.migrate.ollama.registration import Fate, register

    async with connected(target) as backend:
        lines = await plan(backend, options)
        if not options.dry_run and any(line.changes for line in lines):
            if not options.yes:
                show_table(lines)
                typer.confirm("Register them?", abort=True, err=True)
            lines = await register(backend, lines)
    show(lines, options)
    if any(line.fate is Fate.FAILED for line in lines):
        raise typer.Exit(FAILED)


async def plan(backend: Backend, options: Options) -> list[Line]:
    """What is to be done. Weights of new models are read whole: they may be damaged."""
    from llm_runner_router.migrate.ollama.finding import found_models
    from llm_runner_router.migrate.ollama.registration import planned, registered

    present = await registered(backend)
    with new_bar() as bar:
        models = await found_models(
            options.store, options.host, os.environ, Shown(bar), present.models
        )
    return planned(models, present)


def show(lines: Sequence[Line], options: Options) -> None:
    """The outcome, in the form that is wanted."""
    from llm_runner_router.migrate.ollama.report import report

    if options.json:
        typer.echo(json.dumps(report(lines, dry_run=options.dry_run), indent=2))
        return
    if lines:
        show_table(lines)
    if not any(line.changes for line in lines):
        say("nothing to do")


def show_table(lines: Sequence[Line]) -> None:
    """A line each model."""
    table = Table(*(Column(header, overflow="fold") for header in HEADERS))
    for line in lines:
        notes = "\n".join(line.notes)
        way = "" if line.way is None else line.way.value
        table.add_row(*map(cell, (line.name, line.fate, line.id, line.alias or "", way, notes)))
    out.print(table)
