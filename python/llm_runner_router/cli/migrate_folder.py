# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the configuration's libraries
"""``llm-router migrate [DIR]``: a folder of an older version, or one part of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_runner_router.cli.output import errors, printable, say
from llm_runner_router.cli.running import reported
from llm_runner_router.errors import InvalidRequestError, MigrationError

if TYPE_CHECKING:
    from llm_runner_router.migrate.plan import Plan
    from llm_runner_router.migrate.transaction import Outcome

PARTS = {
    "config": "the configuration files",
    "env": "the variables in .env",
    "registry": "the registry file and its prompts",
    "models": "the model files and the registry file, which says where they lie",
    "prompts": "the prompts of the registry file",
}
"""The parts that can be migrated alone, and what they are."""

WHOLE = "Migrate all of DIR: all or nothing, with a backup that `llm-router rollback` goes back to."

NOTHING = "nothing to do"
HINT = "--yes migrates without asking, --dry-run only shows the plan"


def from_version(text: str | None) -> str | None:
    """A version that a folder may be of."""
    from llm_runner_router.migrate.versions import source_version

    try:
        return text if text is None else source_version(text)
    except InvalidRequestError as error:
        raise typer.BadParameter(error.message) from None


def to_version(text: str) -> str:
    """The version that is migrated to."""
    from llm_runner_router.migrate.versions import target_version

    try:
        return target_version(text)
    except InvalidRequestError as error:
        raise typer.BadParameter(error.message) from None


Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        help="The folder of the older version.",
        exists=True,
        file_okay=False,
        show_default="the current one",
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="VERSION",
        help="The version it is of: 0.x, 1.0, 1.1 or 1.2.",
        show_default="told by its content",
        callback=from_version,
    ),
]
To = Annotated[
    str,
    typer.Option("--to", metavar="VERSION", help="1.2, 1.2.x or latest.", callback=to_version),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Json = Annotated[bool, typer.Option("--json", help="Plan and outcome, for programs.")]


def is_attended() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Options:
    """How a migration is asked for."""

    source: str | None
    dry_run: bool
    yes: bool
    json: bool

    def check(self) -> None:
        """Refuse what nobody could confirm."""
        if (self.json or not is_attended()) and not (self.yes or self.dry_run):
            why = "--json asks nothing" if self.json else "nobody is there to ask"
            raise typer.BadParameter(f"{why}: {HINT}")


def command_of(parts: list[str], what: str) -> Callable[..., None]:
    """The command that migrates ``parts``, empty: all of them; ``what`` it does, for the help."""

    def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
        folder: Folder = Path(),
        source: From = None,
        target: To = "latest",
        dry_run: DryRun = False,  # noqa: FBT002
        yes: Yes = False,  # noqa: FBT002
        as_json: Json = False,  # noqa: FBT002
    ) -> None:
        del target  # there is one only
        migrate(folder, parts, Options(source, dry_run, yes, as_json))

    command.__doc__ = what
    return command


def migrate(folder: Path, parts: list[str], options: Options) -> None:
    """Plan, show, ask, do; ``parts`` empty: all of them."""
    from llm_runner_router.migrate.parts import EVERYTHING, Part
    from llm_runner_router.migrate.planner import plan_of

    options.check()
    chosen = frozenset(map(Part, parts)) or EVERYTHING
    with reported():
        here = folder.resolve()
        finish_interrupted(here, options)
        plan = plan_of(here, chosen, options.source)
        if options.json:
            print_json(plan, None if options.dry_run or not plan.changes else carry_out(plan))
        else:
            migrate_aloud(plan, options)


def finish_interrupted(folder: Path, options: Options) -> None:
    """Bring to its end what an earlier migration has left."""
    from llm_runner_router.migrate.recovery import Recovery, recover
    from llm_runner_router.migrate.relative_path import WORK

    if options.dry_run:
        if (folder / WORK).is_dir():
            told = "an interrupted migration is brought to its end first when this one is done"
            errors.print(told, markup=False)
        return
    found = recover(folder)
    if found is not Recovery.NOTHING:
        errors.print(found.value, markup=False)


def migrate_aloud(plan: Plan, options: Options) -> None:
    """Show the plan, and do it once it is agreed to."""
    from llm_runner_router.cli.migrate_output import print_plan

    print_plan(plan)
    if not plan.changes:
        say(NOTHING)
        return
    if options.dry_run:
        return
    if not options.yes:
        typer.confirm("\nmigrate?", abort=True, err=True)
    outcome = carry_out(plan)
    say(f"\nmigrated {plan.folder} to 1.2; the backup is {outcome.backup}")
    errors.print(f"`llm-router rollback {outcome.backup}` goes back", markup=False)


def carry_out(plan: Plan) -> Outcome:
    """Do it, and tell what is going on; where somebody interrupts it, what has become of it."""
    from llm_runner_router.cli.migrate_output import tell_interrupted
    from llm_runner_router.migrate.transaction import migrate as do

    tell_running(plan.folder)
    try:
        with errors.status("migrating") as status:
            return do(plan, lambda step: status.update(step.value))
    except KeyboardInterrupt:
        tell_interrupted(plan.folder)
        raise


def tell_running(folder: Path) -> None:
    """Name the services that go on with what they have read before."""
    from llm_runner_router.migrate.service_process import running

    with suppress(MigrationError):  # it does not matter to the migration
        for service in running(folder):
            line = f"the service at {service.address} (process {service.pid}) runs on this folder"
            errors.print(printable(f"note: {line}: start it anew afterwards"), markup=False)


def print_json(plan: Plan, outcome: Outcome | None) -> None:
    """The plan with what has become of it: ``applied``, and the name of the ``backup``."""
    from llm_runner_router.migrate.report import as_json

    done = {"applied": outcome is not None, "backup": outcome.backup if outcome else None}
    typer.echo(json.dumps({**as_json(plan), **done}, allow_nan=False, indent=2))
