"""Migrates folders on disks that are full or cannot be written. Runs under ``unshare``.

Says in JSON the error of each and whether the folder is as it was. The argument is a folder where
disks can be mounted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.folders import make_database, old_folder, plan_of, snapshot

LARGE = bytes(600_000)


def mount(folder: Path, *options: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(folder)], check=True)


def larger(plan: Plan) -> Plan:
    """One that writes more than there is room for."""
    last = plan.changes[-1]
    assert isinstance(last, WriteFile)
    return Plan(
        plan.folder, plan.source, [*plan.changes[:-1], WriteFile(last.path, last.before, LARGE)]
    )


def told(folder: Path, do: Callable[[], object]) -> dict[str, Any]:
    """The error, and whether anything changed."""
    before = snapshot(folder, backups=True)
    try:
        do()
        error = ""
    except MigrationError as failure:
        error = failure.message
    return {"error": error, "same": snapshot(folder, backups=True) == before}


def main(base: Path) -> None:
    small = base / "small"
    mount(small, "-t", "tmpfs", "-o", "size=500k", "none")
    folder = old_folder(small / "folder")
    full = told(folder, lambda: migrate(larger(plan_of(folder)), trial=make_database))
    done = told(folder, lambda: migrate(plan_of(folder), trial=make_database))
    mount(small, "-o", "remount,ro")
    back = told(folder, lambda: rollback(folder))

    fixed = base / "fixed"
    mount(fixed, "-t", "tmpfs", "none")
    other = old_folder(fixed / "folder")
    mount(fixed, "-o", "remount,ro")
    refused = told(other, lambda: migrate(plan_of(other), trial=make_database))
    print(json.dumps({"full": full, "done": done, "back": back, "refused": refused, **disks(base)}))


def disks(base: Path) -> dict[str, Any]:
    """A folder whose models lie on a disk of their own: there and back."""
    folder = base / "two disks"
    (folder / "models").mkdir(parents=True)
    mount(folder / "models", "-t", "tmpfs", "none")
    before = snapshot(old_folder(folder))
    outcome = told(folder, lambda: migrate(plan_of(folder), trial=make_database))
    served = (folder / "models/registry.sqlite").read_bytes() == b"a database"
    rollback(folder)
    moves = [change for change in plan_of(folder).changes if isinstance(change, MoveFile)]
    out = MoveFile(moves[0].path, moves[0].target.relative_to("models"))
    crossing = told(folder, lambda: migrate(Plan(folder, "1.0", [out]), trial=make_database))
    same = snapshot(folder) == before
    return {"two": {**outcome, "served": served, "back": same}, "crossing": crossing}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
