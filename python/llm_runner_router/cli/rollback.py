# ruff: noqa: PLC0415 - other commands should not wait for pydantic
"""``llm-router rollback``: back to how a folder was before it was migrated."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_runner_router.cli.output import errors, out, printable, say
from llm_runner_router.cli.running import reported
from llm_runner_router.errors import MigrationError

if TYPE_CHECKING:
    from llm_runner_router.migrate.restoration import Restoration
    from llm_runner_router.migrate.rollback import RollbackOutcome
    from llm_runner_router.migrate.step import Observe, Step


def rollback(
    backup: Annotated[
        str,
        typer.Argument(help="The name of a backup.", show_default="that of the last migration"),
    ] = "",
    folder: Annotated[
        Path,
        typer.Option(metavar="DIR", exists=True, file_okay=False, help="The migrated folder."),
    ] = Path(),
    yes: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--yes", "-y", help="Do it without asking.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="Say in JSON what was done.")
    ] = False,
) -> None:
    """Bring a folder back to how it was before a migration.

    A service that runs on it is stopped. What has changed since is kept in the backup.
    """
    with reported():
        if not show_plan(folder, backup).empty and not yes:
            ask()
        outcome = bring_back(folder, backup)
    if as_json:
        out.print(json.dumps(facts_of(outcome), indent=2), markup=False)
    else:
        tell(outcome)


def show_plan(folder: Path, backup: str) -> Restoration:
    """Say what will be done, on standard error."""
    from llm_runner_router.migrate.recovery import Recovery, recover
    from llm_runner_router.migrate.rollback import preview
    from llm_runner_router.migrate.service_process import running, supervisors

    with suppress(MigrationError):  # where it cannot be finished, the rollback goes back from there
        if (recovery := recover(folder)) is not Recovery.NOTHING:
            errors.print(f"note: {recovery}", markup=False)
    with errors.status("checking the backup"):
        wanted = preview(folder, backup)
    for line in plan_lines(wanted):
        errors.print(printable(line), markup=False)
    for service in running(folder):
        line = f"stop the service at {service.address} (process {service.pid})"
        errors.print(printable(line), markup=False)
    for note in (*wanted.notes, *supervisors(folder)):
        errors.print(printable(f"note: {note}"), markup=False)
    return wanted


def plan_lines(wanted: Restoration) -> Iterator[str]:
    """A line for each change."""
    yield f"back to {wanted.backup.name} (version {wanted.backup.manifest.source}):"
    yield from (f"restore {kept.path}" for kept in wanted.restored)
    yield from (f"move {move.target} back to {move.path}" for move in wanted.moves)
    yield from (f"remove {path}, which the migration added" for path in wanted.discarded)
    yield from (f"move {path} into the backup" for path in wanted.set_aside)
    yield from (f"copy {path}, which has changed, into the backup" for path in wanted.saved)
    yield from (f"remove the folder {path} if it is empty" for path in wanted.folders)


def ask() -> None:
    """Exit unless the user agrees; without a terminal nobody can."""
    if not is_asked():
        raise MigrationError("nobody can be asked here: --yes does it without asking")
    if not typer.confirm("Do it?", err=True):
        raise typer.Exit(1)


def is_asked() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty()


def bring_back(folder: Path, backup: str) -> RollbackOutcome:
    """Do it, and show each step; where somebody interrupts it, what has become of it."""
    from llm_runner_router.cli.migrate_output import tell_interrupted
    from llm_runner_router.migrate.rollback import rollback as roll_back

    try:
        with shown_steps() as observe:
            return roll_back(folder, backup, observe)
    except KeyboardInterrupt:
        tell_interrupted(folder)
        raise


@contextmanager
def shown_steps() -> Iterator[Observe]:
    """What shows the step that is under way, on standard error."""
    with errors.status("") as status:

        def show(step: Step) -> None:
            status.update(step.value)

        yield show


def tell(outcome: RollbackOutcome) -> None:
    """Say what was done."""
    changed = (*outcome.restored, *outcome.removed, *outcome.moved)
    say(f"rolled back to {outcome.backup}" if changed else "nothing to do")
    if outcome.replaced is not None:
        say(f"what had changed since lies in {outcome.replaced}")


def facts_of(outcome: RollbackOutcome) -> dict[str, Any]:
    """The same for programs."""
    return {
        "backup": outcome.backup,
        "recovery": outcome.recovery.name.lower(),
        "restored": [str(path) for path in outcome.restored],
        "removed": [str(path) for path in outcome.removed],
        "moved": [str(path) for path in outcome.moved],
        "replaced": None if outcome.replaced is None else str(outcome.replaced),
        "notes": list(outcome.notes),
    }
