"""A whole run: which workloads, on what, how often; and its result, ready for JSON."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import engine, machine, model, peer, serving
from benchmarks.comparison import Comparison, take_turns
from benchmarks.patience import Patience, Watch
from benchmarks.work import MOST_STREAMS, WORKLOADS, Clock, Contender, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEED = 1
CONTEXT = 512  # tokens of a stream: more than any workload needs
NAMES = (*(work.name for work in WORKLOADS), *serving.NAMES)


@dataclass(frozen=True)
class Plan:
    """What is measured, and how often."""

    names: Sequence[str]
    runs: int
    threads: int
    quick: bool
    with_peer: bool
    clock: Clock = "wall"
    patience: float = 0.0  # seconds of waiting for others, over all workloads

    @property
    def workloads(self) -> list[Workload]:
        """Those of the engine, in small where it is to be quick."""
        chosen = [work for work in WORKLOADS if work.name in self.names]
        return [work.shortened() for work in chosen] if self.quick else chosen

    @property
    def sizes(self) -> model.Sizes:
        """Of the model."""
        return model.TINY if self.quick else model.BENCH


@dataclass(frozen=True)
class Engines:
    """Ours and llama.cpp, or ours alone, with the same model loaded."""

    plan: Plan
    ours: Contender
    peer: peer.LlamaCpp | None

    @property
    def children(self) -> tuple[int, ...]:
        """Processes that belong to the measurement."""
        return () if self.peer is None else (self.peer.process,)

    def compare(self, work: Workload, watch: Watch) -> Comparison:
        """Both on the same rounds, in turn."""

        def speed(contender: Contender, number: int) -> float:
            turn = work.round(SEED, number, self.plan.sizes.vocabulary)
            return work.tokens / turn.seconds(contender, self.plan.clock)

        other = self.peer
        measured = take_turns(
            self.plan.runs,
            lambda number: speed(self.ours, number),
            None if other is None else lambda number: speed(other, number),
            watch,
        )
        unit = "tokens/s" if self.plan.clock == "wall" else "tokens/cpu s"
        return Comparison(work.name, work.about, unit, "more", peer.NAME, *measured)


def describe(plan: Plan) -> dict[str, Any]:
    """What a reader needs to know beside the workloads' results."""
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.machine(),
        "versions": machine.versions(),
        "seed": SEED,
        "settings": {
            "threads": plan.threads,
            "runs": plan.runs,
            "clock": plan.clock,
            "quick": plan.quick,
        },
        "model": {"parameters": plan.sizes.parameters, "types": model.TYPES_IN_WORDS},
        "peer": peer.NOTE,
    }


def measure(plan: Plan, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and result of each workload as it is measured. The model is kept in ``folder``."""
    patience = Patience(plan.patience)
    yield from measure_engines(plan, folder, patience)
    yield from measure_serving(plan, patience)


def measure_engines(
    plan: Plan, folder: Path, patience: Patience
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The workloads of the engine."""
    if not plan.workloads:
        return
    path = model.path_of(folder, plan.sizes, SEED)
    with loaded(plan, path) as engines:
        for work in plan.workloads:
            watch = Watch(patience, engines.children)
            yield work.name, result(engines.compare(work, watch), watch)


@contextmanager
def loaded(plan: Plan, path: Path) -> Iterator[Engines]:
    """The model in each engine."""
    with engine.running(path, plan.threads, CONTEXT) as ours:
        if not plan.with_peer:
            yield Engines(plan, ours, None)
            return
        with peer.running(path, plan.threads, MOST_STREAMS, CONTEXT) as other:
            yield Engines(plan, ours, other)


def measure_serving(plan: Plan, patience: Patience) -> Iterator[tuple[str, dict[str, Any]]]:
    """The workloads of the service."""
    names = [name for name in serving.NAMES if name in plan.names]
    if not names:
        return
    size = serving.SMALL if plan.quick else serving.Size()
    with serving.services() as services:
        for name in names:
            watch = Watch(patience, (services.process,))
            yield name, result(services.compare(name, plan.runs, size, watch), watch)


def result(comparison: Comparison, watch: Watch) -> dict[str, Any]:
    """With the share of the machine that others used, the median of the measurements."""
    others = round(median(watch.shares), 3) if watch.shares else None
    return {**comparison.to_json(), "others": others}
