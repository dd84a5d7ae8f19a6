"""What ``llm-router migrate`` prints of a plan."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.cli.output import errors, say
from llm_runner_router.migrate.plan import Change, MoveFile, Plan
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.report import counts, diff_of, field_line, fields_of


def print_plan(plan: Plan) -> None:
    """Every change with its diff and its fields, then what the user should know."""
    if plan.changes:
        say(f"{plan.folder}: version {plan.source} to 1.2")
    for change in plan.changes:
        print_change(change)
    if plan.database is not None:
        say(f"\nmake {plan.database}: the registry of the service, with the models of the file")
    print_notes(plan)


def print_change(change: Change) -> None:
    """One change."""
    if isinstance(change, MoveFile):
        say(f"\nmove {change.path} to {change.target}")
        return
    word = "make" if change.before is None else "change"
    told = counts(change.fields)
    say(f"\n{word} {change.path}" + (f": {told}" if told else ""))
    say(diff_of(change), end="")
    for field in fields_of(change):
        say(f"  {field_line(field)}")


def print_notes(plan: Plan) -> None:
    """What the user should know."""
    if plan.notes:
        say("\nplease note:" if plan.changes else "please note:")
    for note in plan.notes:
        say(f"  {note}")


def tell_interrupted(folder: Path) -> None:
    """What has become of a folder whose migration or rollback somebody has interrupted."""
    how = "nothing is left half done"
    if (folder / WORK).is_dir():
        how = "the next `llm-router migrate`, `rollback`, `backups` or `serve` there ends it"
    errors.print(f"interrupted: {how}", markup=False)
