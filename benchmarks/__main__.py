"""Measure the engine and the service beside their peers; print a table and write JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import machine, report
from benchmarks.measurement import NAMES, Plan, describe, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(".cache/benchmarks")
RUNS = 5
PATIENCE = 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line says."""
    options = parse(arguments)
    plan = Plan(
        names=options.workload or NAMES,
        runs=options.runs or (1 if options.quick else RUNS),
        threads=options.threads or machine.usable_cores(),
        quick=options.quick,
        with_peer=not options.no_peer,
        clock=options.clock,
        patience=0 if options.quick else options.patience,
    )
    console = Console()
    console.print(report.table(measure_into(options.output, plan)))
    console.print(f"written to {options.output}", soft_wrap=True)


def measure_into(output: Path, plan: Plan) -> dict[str, Any]:
    """The workloads' results. Each is written at once: a run that is ended keeps those it has."""
    output.parent.mkdir(parents=True, exist_ok=True)
    workloads: dict[str, Any] = {}
    result = {**describe(plan), "workloads": workloads}
    for name, found in measure(plan, FOLDER):
        workloads[name] = found
        output.write_text(json.dumps(result, indent=2) + "\n")
        print(f"measured {name}", file=sys.stderr)
    return workloads


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workload", nargs="*", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--runs", type=int, default=0, help="of each, after one to warm up")
    parser.add_argument("--threads", type=int, default=0, help="of either engine; 0: all cores")
    parser.add_argument(
        "--clock",
        choices=("wall", "processor"),
        default="wall",
        help="of the engines; processor time ignores others on the machine: use it with one thread",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help="waits for others to leave the machine, in all (%(default)s)",
    )
    parser.add_argument("--no-peer", action="store_true", help="without llama.cpp")
    parser.add_argument("--output", type=Path, default=FOLDER / "result.json", metavar="FILE")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.workload) - set(NAMES)):
        parser.error(f"workload is {', '.join(unknown)}; allowed: {', '.join(NAMES)}")
    if options.runs < 0 or options.threads < 0:
        parser.error("runs and threads are at least 1, or 0 for the default")
    if options.quick and options.clock == "processor":
        parser.error("clock is processor; allowed with --quick: wall (its ticks are too long)")
    return options


if __name__ == "__main__":
    main()
