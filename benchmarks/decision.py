"""Measure how long the router takes to decide; print the medians as JSON.

Each time is the median of many decisions over one group of models, in microseconds. Between two
decisions an attempt is observed, as in service, and the prompts differ in length.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from llm_runner_router.config.tree import Config
from llm_runner_router.preferences import Routing, Strategy
from llm_runner_router.registry.records import Alias, ModelRecord, Pricing, PromptTemplate
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.types import ModelFormat, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_runner_router.errors import BudgetError

TARGETS_US: Mapping[int, float] = MappingProxyType({10: 20.0, 100: 60.0, 1000: 500.0})
"""Candidates, and the time that a decision over them may take."""

DECISIONS = 2000
PROMPT = "What should be said of this? " * 200


class Store:
    """Registered models in memory."""

    revision = 0

    def __init__(self, records: Sequence[ModelRecord]) -> None:
        self._records = {record.id: record for record in records}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, model: str) -> ModelRecord:
        """The record of ``model``."""
        return self._records[model]

    def resolve(self, name: str) -> ModelRecord | None:
        """See Store."""
        return self._records.get(name)

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """All of them; ``after`` is empty and ``limit`` their number."""
        return [self._records[model] for model in sorted(self._records) if model > after][:limit]

    def alias(self, _: str) -> Alias | None:
        """None is."""
        return None

    def template(self, _: str) -> PromptTemplate | None:
        """None is."""
        return None


class Fine:
    """Circuits that are closed, prices that the records tell, and budgets that suffice."""

    def allows(self, _: str) -> bool:
        """Always."""
        return True

    def opens_in(self, _: str) -> float:
        """At once."""
        return 0.0

    def resting(self) -> Mapping[str, float]:
        """None of them."""
        return {}

    def per_million(self, record: ModelRecord) -> Pricing | None:
        """The record's own."""
        return record.pricing

    def model_error(self, _: str) -> BudgetError | None:
        """Never."""
        return None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decision", description=__doc__)
    parser.add_argument("--strategy", choices=[*Strategy, "all"], default=Strategy.BALANCED)
    parser.add_argument("--decisions", type=int, default=DECISIONS, help="of each (%(default)s)")
    options = parser.parse_args(arguments)
    if options.decisions < 1:
        parser.error("decisions are at least 1")
    strategies = list(Strategy) if options.strategy == "all" else [Strategy(options.strategy)]
    print(json.dumps(report(strategies, options.decisions), indent=2))


def report(strategies: Sequence[Strategy], decisions: int) -> dict[str, Any]:
    """The medians by strategy and number of candidates, with where they were measured."""
    gc.freeze()  # or else each collection looks through all that the process had before
    try:
        medians = {
            str(strategy): {
                str(count): round(median_us(strategy, count, decisions), 1) for count in TARGETS_US
            }
            for strategy in strategies
        }
    finally:
        gc.unfreeze()
    targets = {str(count): target for count, target in TARGETS_US.items()}
    return {
        "machine": machine.machine(),
        "versions": machine.versions(),
        "unit": "µs a decision, median",
        "targets": targets,
        "decisions": medians,
    }


def median_us(strategy: Strategy, candidates: int, decisions: int) -> float:
    """The median time of a decision, after as many to warm up."""
    measurements, chance = Measurements(), Random(1)
    router = router_of(candidates, measurements)
    requests = [
        Request(prompt=PROMPT[: 100 + 40 * number], routing=Routing(strategy=strategy))
        for number in range(100)
    ]
    times: list[int] = []
    gc.collect()
    for number in range(2 * decisions):
        request = requests[number % len(requests)]
        begun = time.perf_counter_ns()
        plan = router.plan(request, "caller")
        times.append(time.perf_counter_ns() - begun)
        router.served(plan.decision.model, request)
        pace = {"first_token_ms": 100 + 100 * chance.random(), "token_ms": 10 * chance.random()}
        measurements.observe(plan.decision.model, plan.prompt_tokens, **pace, failed=False)
    return statistics.median(times[decisions:]) / 1000


def router_of(candidates: int, measurements: Measurements) -> ModelRouter:
    """A router over models of different quality, price and speed, all of them measured."""
    records = [record(number, candidates) for number in range(candidates)]
    for number, each in enumerate(records):
        for tokens in (100, 1000):
            measurements.observe(
                each.id, tokens, first_token_ms=100.0 + number, token_ms=10.0, failed=False
            )
    fine, loads, config = Fine(), Loads(), Config()
    return ModelRouter(Store(records), measurements, loads, fine, fine, fine, lambda: config)


def record(number: int, count: int) -> ModelRecord:
    """One of ``count`` models, the better the dearer."""
    rank = (number * 7919 % count + 1) / count
    return ModelRecord(
        id=f"model-{number:04}",
        name="",
        format=ModelFormat.API,
        source=f"model-{number:04}",
        provider="echo",
        pricing=Pricing(input=10 * rank, output=30 * rank),
        quality=rank,
    )


if __name__ == "__main__":
    main()
