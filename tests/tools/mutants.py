"""Plants small faults one at a time; the named tests must turn red for each.

Usage: mutants.py [--list] [name…]

A test that nothing can fail proves nothing. Each fault in ``mutants.toml`` is planted in a copy of
the tree; it is killed where its tests then fail, and survives where they stay green. Ends with 1
where one survives, no longer fits its file, does not build, or keeps the tests from running.
"""

from __future__ import annotations

import argparse
import fcntl
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mutant_list import Mutant, MutantError, StaleMutantError, chosen, read_mutants
from mutant_tree import MutantTree
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_suffix(".toml")
FOLDER = ROOT / "build" / "mutants"


FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (tests/[^\s\[]+)", re.MULTILINE)


class Verdict(StrEnum):
    """What became of a fault. All but KILLED fail the run."""

    KILLED = "killed"
    SURVIVED = "survived"
    STALE = "stale"  # the text that it replaces is gone
    BROKEN = "broken"  # it does not build, or the tests could not run


@dataclass(frozen=True)
class Outcome:
    """A verdict, and what it rests on."""

    mutant: Mutant
    verdict: Verdict
    detail: str
    seconds: float


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="only list the faults")
    parser.add_argument("names", nargs="*", help="the faults to plant (all)")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        mutants = chosen(read_mutants(LIST), arguments.names)
        if arguments.list:
            console.print(*(f"{mutant.name}  ({mutant.file})" for mutant in mutants), sep="\n")
            return 0
        return run(mutants, MutantTree(ROOT, FOLDER), console)
    except MutantError as error:
        console.print(f"[red]{escape(str(error))}")
        return 1


def run(mutants: tuple[Mutant, ...], tree: MutantTree, console: Console) -> int:
    """Plants each; 0 where every one was killed. One run at a time uses the copy."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(mutants, tree, console)
        # Those that need no compiler first: they still run on the sound extension.
        ordered = sorted(mutants, key=lambda mutant: mutant.needs_build)
        outcomes = [judged(mutant, tree, console) for mutant in ordered]
        if any(mutant.needs_build for mutant in mutants):
            tree.build_extension()
    report(outcomes, console)
    return int(any(outcome.verdict is not Verdict.KILLED for outcome in outcomes))


def prepare(mutants: Sequence[Mutant], tree: MutantTree, console: Console) -> None:
    """Copies and builds the tree; MutantError unless the tests are green without any fault."""
    tree.refresh()
    if any(mutant.needs_build for mutant in mutants):
        console.print("building the copy …")
        tree.build_extension()
    else:
        tree.copy_extension()
    tree.check_that_it_wins()
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    console.print(f"running {len(tests)} tests and files of tests without a fault …")
    sound = tree.test(tests)
    if sound.returncode != pytest.ExitCode.OK:
        raise MutantError(f"the tests are not green without a fault:\n{sound.stdout[-6000:]}")


def judged(mutant: Mutant, tree: MutantTree, console: Console) -> Outcome:
    """Plants one fault, builds where needed and runs its tests."""
    started = time.monotonic()
    try:
        with tree.planted(mutant):
            if mutant.needs_build:
                tree.build_extension()
            verdict, detail = verdict_on(tree.test(mutant.tests))
    except StaleMutantError as error:
        verdict, detail = Verdict.STALE, str(error)
    except MutantError as error:
        verdict, detail = Verdict.BROKEN, str(error)
    console.print(f"{verdict:8}  {mutant.name}")
    return Outcome(mutant, verdict, detail, time.monotonic() - started)


def verdict_on(done: subprocess.CompletedProcess[str]) -> tuple[Verdict, str]:
    """What the tests say: failed ones kill, and so does a fault that takes the process down."""
    if done.returncode < 0:
        return Verdict.KILLED, f"ended by {signal.Signals(-done.returncode).name}"
    if done.returncode == pytest.ExitCode.TESTS_FAILED:
        failed = FAILED_TEST.search(done.stdout)
        return Verdict.KILLED, failed[1] if failed else "a test that ran out of time"
    if done.returncode == pytest.ExitCode.OK:
        return Verdict.SURVIVED, "its tests stay green"
    return Verdict.BROKEN, f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}"


def report(outcomes: Sequence[Outcome], console: Console) -> None:
    """A table, what went wrong in full, and the number of each verdict."""
    table = Table("mutant", "verdict", "seconds", "by")
    for outcome in outcomes:
        colour = "green" if outcome.verdict is Verdict.KILLED else "red"
        cause = escape(outcome.detail.partition("\n")[0])
        verdict = f"[{colour}]{outcome.verdict}"
        table.add_row(outcome.mutant.name, verdict, f"{outcome.seconds:.1f}", cause)
    console.print(table)
    for outcome in outcomes:
        if outcome.verdict is not Verdict.KILLED:
            console.print(f"[red]{outcome.mutant.name}[/]: {escape(outcome.detail)}")
    counts = Counter(outcome.verdict for outcome in outcomes)
    console.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


if __name__ == "__main__":
    sys.exit(main())
