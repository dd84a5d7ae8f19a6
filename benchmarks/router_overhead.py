"""What a router adds to a call of an OpenAI-compatible echo: ours, smg and LiteLLM, in turn.

All run on this machine at once and are measured in one run: in each round every way takes its
turn, in an order that is shuffled, with requests one after the other, streams one after the other,
and 32 requests at once. What a way adds is its time less that of the straight way. Bare gRPC is no
way to the echo but what remains of ours without our code and without the echo: the floor.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import machine, routers
from benchmarks.comparison import digits
from benchmarks.decision_time import SIZES, decision_microseconds
from benchmarks.machine import ProcessorTime
from benchmarks.peer_environments import installed_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.routers import Running, Way

SEED = 1
STRAIGHT = "straight"
BARE = "bare-grpc"
CLIENTS = (
    "straight, smg and litellm: keep-alive HTTP/1.1 on bare asyncio streams; ours and bare-grpc: "
    "the generated stubs of gRPC on one grpc.aio channel; all in one process, on one event loop"
)
WORDS = 16
OUTPUT = Path(".cache/benchmarks/router_overhead.json")


@dataclass(frozen=True)
class Plan:
    """How much is measured, after a round to warm up."""

    rounds: int = 5
    requests: int = 60  # a round and way, one after the other
    streams: int = 30
    at_once: int = 32
    seconds: float = 2.0  # of requests at once
    decisions: int = 300  # of each strategy and number of candidates


QUICK = Plan(rounds=1, requests=10, streams=5, seconds=0.3, decisions=10)


@dataclass
class Taken:
    """What was measured of one way: milliseconds, and requests a second."""

    request_ms: list[float] = field(default_factory=list)
    first_text_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)


class Prompts:
    """Texts of a few words that never come twice, so that no cache can answer."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def __call__(self) -> str:
        """The next one."""
        return " ".join(f"w{self._chance.getrandbits(40):x}" for _ in range(WORDS))


async def measure(plan: Plan, running: dict[str, Running]) -> dict[str, Taken]:
    """Every way's turns."""
    ways = {name: server.way() for name, server in running.items()}
    prompts, chance, names = Prompts(SEED), random.Random(SEED), list(ways)
    taken = {name: Taken() for name in names}
    try:
        for number in range(plan.rounds + 1):
            chance.shuffle(names)
            for name in names:
                await turn(plan, ways[name], prompts, taken[name] if number else Taken())
            print(f"round {number} of {plan.rounds}", file=sys.stderr)
    finally:
        for way in ways.values():
            await way.close()
    return taken


async def turn(plan: Plan, way: Way, prompts: Prompts, taken: Taken) -> None:
    """One way's measurements of one round."""
    for _ in range(plan.requests):
        prompt = prompts()
        begin = time.perf_counter()
        await way.ask(prompt)
        taken.request_ms.append((time.perf_counter() - begin) * 1e3)
    for _ in range(plan.streams):
        taken.first_text_ms.append(await way.first_seconds(prompts()) * 1e3)
    taken.per_second.append(await at_once(plan, way, prompts))


async def at_once(plan: Plan, way: Way, prompts: Prompts) -> float:
    """Requests a second of so many that each ask again as soon as they are answered."""
    begin = time.perf_counter()
    answered = 0

    async def keep_asking() -> None:
        nonlocal answered
        while time.perf_counter() - begin < plan.seconds:
            await way.ask(prompts())
            answered += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(plan.at_once):
            group.create_task(keep_asking())
    return answered / (time.perf_counter() - begin)


def summary(taken: dict[str, Taken]) -> dict[str, Any]:
    """Medians, 99th percentiles, and what each adds to the straight way."""
    straight = taken[STRAIGHT]
    return {
        name: {
            "request_ms": spread(mine.request_ms),
            "added_ms": added(mine.request_ms, straight.request_ms),
            "first_text_ms": spread(mine.first_text_ms),
            "added_first_text_ms": added(mine.first_text_ms, straight.first_text_ms),
            "requests_per_second": digits(median(mine.per_second)),
            "requests_per_second_of_rounds": list(map(digits, mine.per_second)),
        }
        for name, mine in taken.items()
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {
        "median": digits(median(values)),
        "p99": digits(quantiles(values, n=100, method="inclusive")[98]),
    }


def added(mine: Sequence[float], straight: Sequence[float]) -> dict[str, float]:
    """Of the percentiles: they are not paired."""
    own, base = spread(mine), spread(straight)
    return {name: digits(own[name] - base[name]) for name in own}


def ratios(ways: dict[str, Any]) -> dict[str, float]:
    """How many times better ours is than each peer; above 1 is better."""
    found = {}
    for name in routers.PEERS:
        if routers.OURS in ways and name in ways:
            ours, peer = ways[routers.OURS], ways[name]
            added_by_peer = peer["added_ms"]["median"] / ours["added_ms"]["median"]
            speed = ours["requests_per_second"] / peer["requests_per_second"]
            found[f"added median against {name}"] = digits(added_by_peer)
            found[f"requests a second against {name}"] = digits(speed)
    return found


def run(plan: Plan, chosen: Sequence[str]) -> dict[str, Any]:
    """Start what is chosen, measure, and end it; what cannot be started is named, with why."""
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        port, straight = stack.enter_context(routers.echo())
        running = {STRAIGHT: straight}
        starts = {routers.OURS: routers.ours, BARE: routers.bare_grpc, **routers.PEERS}
        for name in chosen:
            try:
                running[name] = stack.enter_context(starts[name](port))
            except (RuntimeError, OSError) as error:
                missing[name] = str(error)
        before = ProcessorTime.now(*(server.process for server in running.values()))
        taken = asyncio.run(measure(plan, running))
        after = ProcessorTime.now(*(server.process for server in running.values()))
    others = after.others_since(before) if before and after else None
    ways = summary(taken)
    return {
        **described(plan),
        "others": None if others is None else round(others, 3),
        "ways": ways,
        "decision_microseconds": decision_microseconds(plan.decisions),
        "missing": missing,
        "ratios": ratios(ways),
    }


def described(plan: Plan) -> dict[str, Any]:
    """What a reader needs to know beside the numbers."""
    peers = {name: installed_version(name, name) for name in routers.PEERS}
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.machine(),
        "versions": {**machine.versions(), **peers},
        "seed": SEED,
        "settings": asdict(plan),
        "clients": CLIENTS,
    }


def table(result: dict[str, Any]) -> Table:
    """A line a way; milliseconds."""
    title = f"Ways to one echo; {result['settings']['at_once']} at once"
    found = Table(title=title, box=SIMPLE)
    for header in ("way", "request", "added", "added p99", "added first text", "requests/s"):
        found.add_column(header, justify="left" if header == "way" else "right")
    for name, way in result["ways"].items():
        found.add_row(
            name,
            f"{way['request_ms']['median']:.2f} ms",
            f"{way['added_ms']['median']:.2f} ms",
            f"{way['added_ms']['p99']:.2f} ms",
            f"{way['added_first_text_ms']['median']:.2f} ms",
            f"{way['requests_per_second']:.0f}",
        )
    return found


def decisions_table(times: dict[str, dict[str, float]]) -> Table:
    """A line a strategy, a column a number of candidates."""
    found = Table(title="A decision in this process, microseconds", box=SIMPLE)
    for header in ("strategy", *map(str, SIZES)):
        found.add_column(header, justify="left" if header == "strategy" else "right")
    for strategy in next(iter(times.values())):
        found.add_row(strategy, *(f"{times[str(size)][strategy]:.0f}" for size in SIZES))
    return found


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.router_overhead")
    starts = (routers.OURS, BARE, *routers.PEERS)
    parser.add_argument("way", nargs="*", help=f"of {', '.join(starts)}; none: all")
    parser.add_argument("--quick", action="store_true", help="tiny, to see that it runs")
    parser.add_argument("--rounds", type=int, default=Plan.rounds)
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.way) - set(starts)):
        parser.error(f"way is {', '.join(unknown)}; allowed: {', '.join(starts)}")
    options.way = options.way or list(starts)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON, and print a table."""
    options = parse(arguments)
    plan = QUICK if options.quick else Plan(rounds=options.rounds)
    result = run(plan, options.way)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n")
    console = Console()
    console.print(table(result))
    console.print(decisions_table(result["decision_microseconds"]))
    for name, reason in result["missing"].items():
        console.print(f"{name} was not measured: {reason}", markup=False, soft_wrap=True)
    for name, value in result["ratios"].items():
        console.print(f"{name}: {value:.2f} times")
    console.print(f"written to {options.output}", soft_wrap=True)


if __name__ == "__main__":
    main()
