# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the templates' library
"""``llm-router migrate langchain``: prompts, models and chains that LangChain has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import say
from llm_runner_router.cli.running import FAILED, reported, run
from llm_runner_router.registry.records import ImportReport

if TYPE_CHECKING:
    from llm_runner_router.migrate.langchain.migrated import Migrated


def migrate_langchain(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON of langchain_core.load.dumps, or of a prompt's, model's or chain's save.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    dry_run: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="For programs: what became of each value.")
    ] = False,
    replace: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--replace", help="Let it take the place of what has the same ids.")
    ] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Add the prompts and models of a file of LangChain to a running service, all or none.

    Nothing in the file is run. Keys stay out: a model says which variable of the service's
    environment holds its key. Exit code 1: something could not be taken over; the rest was.
    """
    with reported():
        migrated = read(file)
    if not dry_run and (migrated.templates or migrated.models):
        run(add(target, migrated, replace=replace, as_json=as_json))
    else:
        show(migrated, None, as_json=as_json)
    if migrated.refused:
        raise typer.Exit(FAILED)


def read(file: Path) -> Migrated:
    """What the file holds."""
    from llm_runner_router.migrate.langchain.migrated import MAX_BYTES, migrated_langchain

    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    return migrated_langchain(data, file.name, file.stem)


async def add(target: str, migrated: Migrated, *, replace: bool, as_json: bool) -> None:
    """Add to the service and say so."""
    async with connected(target) as backend:
        report = await backend.import_registry(migrated.registry, replace=replace)
    show(migrated, report, as_json=as_json)


def show(migrated: Migrated, report: ImportReport | None, *, as_json: bool) -> None:
    """What the file holds, and what has become of it where it was added."""
    from llm_runner_router.migrate.langchain import report as told

    done = {
        "added": [] if report is None else list(report.added),
        "replaced": [] if report is None else list(report.replaced),
        "unchanged": [] if report is None else list(report.unchanged),
    }
    if as_json:
        whole = {**told.as_json(migrated), "applied": report is not None, **done}
        typer.echo(json.dumps(whole, indent=2))
        return
    for line in told.lines(migrated):
        say(line)
    for word, things in done.items():
        for thing in things:
            say(f"{word} {thing}")
