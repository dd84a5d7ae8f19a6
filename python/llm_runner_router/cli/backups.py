# ruff: noqa: PLC0415 - other commands should not wait for pydantic
"""``llm-router backups``: what migrations have kept of a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from llm_runner_router.cli.output import cell, errors, out, say, show_whole
from llm_runner_router.cli.running import reported
from llm_runner_router.errors import MigrationError

commands = typer.Typer(help="Backups that migrations have made.", no_args_is_help=True)

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="The migrated folder.")
]


@commands.command("list")
def list_backups(
    folder: Folder = Path(),
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="Say it in JSON.")
    ] = False,
) -> None:
    """List them, the newest first, and check their sums."""
    with reported():
        found = described(folder)
    if as_json:
        out.print(json.dumps(found, indent=2), markup=False)
    elif not found:
        say(f"no backups in {folder}")
    else:
        show_whole(table_of(found))


def described(folder: Path) -> list[dict[str, Any]]:
    """What there is to say of each backup."""
    from llm_runner_router.migrate.backup import names
    from llm_runner_router.migrate.recovery import Recovery, recover

    recovery = recover(folder)
    if recovery is not Recovery.NOTHING:
        errors.print(f"note: {recovery}", markup=False)
    found = []
    for name in reversed(names(folder)):
        with errors.status(f"checking {name}"):
            found.append(one(folder, name))
    return found


def one(folder: Path, name: str) -> dict[str, Any]:
    """The facts of a backup; of one that is damaged, why."""
    from llm_runner_router.migrate.backup import read_backup

    try:
        backup = read_backup(folder, name)
        backup.verify()
    except MigrationError as error:
        return {"name": name, "state": "damaged", "why": error.message}
    manifest = backup.manifest
    kept = [*manifest.files, *manifest.symlinks]
    return {
        "name": name,
        "state": "whole" if backup.carried_out else "of a migration that was not carried out",
        "from": manifest.source,
        "files": [str(kept.path) for kept in kept],
        "moved": [str(move.path) for move in manifest.moves],
        "added": [str(added.path) for added in manifest.added],
    }


def table_of(found: list[dict[str, Any]]) -> Table:
    """A line a backup."""
    table = Table("backup", "of version", "files", "moved", "added", "state", box=SIMPLE)
    for facts in found:
        counts = (str(len(facts.get(key, ()))) for key in ("files", "moved", "added"))
        state = facts.get("why", facts["state"])
        table.add_row(facts["name"], cell(facts.get("from", "")), *counts, cell(state))
    return table
