"""How long one decision takes in this process, for 10, 100 and 1 000 candidates.

An alias stands for all models; between two decisions a measurement of one model comes in, as it
does between the requests of a service. Only the decision is timed.
"""

from __future__ import annotations

import random
import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.comparison import digits
from llm_runner_router.config.tree import Config
from llm_runner_router.preferences import Routing, Strategy
from llm_runner_router.registry.records import Alias, AliasTarget, ModelRecord, Pricing
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.types import ModelFormat, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_runner_router.errors import BudgetError
    from llm_runner_router.registry.records import PromptTemplate

SIZES = (10, 100, 1000)
ALIAS = "all"
PROMPT_WORDS = 64
WARM_UP = 20
SEED = 1


class Models:
    """A store of models that differ, and an alias for all of them. It never changes."""

    revision = 1

    def __init__(self, count: int, chance: random.Random) -> None:
        self._records = {
            record.id: record for record in (model(number, chance) for number in range(count))
        }
        self._alias = Alias(ALIAS, [AliasTarget(name) for name in self._records])

    def __len__(self) -> int:
        return len(self._records)

    def get(self, model: str) -> ModelRecord:
        """See Store."""
        return self._records[model]

    def resolve(self, name: str) -> ModelRecord | None:
        """See Store."""
        return self._records.get(name)

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """See Store."""
        return [self._records[name] for name in sorted(self._records) if name > after][:limit]

    def alias(self, name: str) -> Alias | None:
        """See Store."""
        return self._alias if name == ALIAS else None

    def template(self, name: str) -> PromptTemplate | None:
        """See Store; there are none."""
        del name
        return None


def model(number: int, chance: random.Random) -> ModelRecord:
    """One with a price and a quality."""
    name = f"m{number:04}"
    price, quality = Pricing(chance.random(), chance.random()), chance.random()
    return ModelRecord(
        name, name, ModelFormat.API, name, provider="echo", pricing=price, quality=quality
    )


class Prices:
    """Those of the records."""

    def per_million(self, record: ModelRecord) -> Pricing | None:
        """See Prices."""
        return record.pricing


class NoBudgets:
    """Nothing is ever used up."""

    def model_error(self, model: str) -> BudgetError | None:
        """See ModelBudgets."""
        del model
        return None


def decision_microseconds(decisions: int) -> dict[str, dict[str, float]]:
    """The median of so many, by the number of candidates and the strategy."""
    return {
        str(size): {
            strategy.value: digits(measured(size, strategy, decisions)) for strategy in Strategy
        }
        for size in SIZES
    }


def measured(size: int, strategy: Strategy, decisions: int) -> float:
    """The median for one strategy."""
    chance = random.Random(f"{SEED} {size}")
    store, measurements, config = Models(size, chance), Measurements(), Config()
    breakers = Breakers(lambda: config.routing, time.monotonic)
    router = ModelRouter(
        store, measurements, Loads(), breakers, Prices(), NoBudgets(), lambda: config
    )
    names, times = list(store.page("", size)), []
    for record in names:
        observe(measurements, record.id, chance)
    for _ in range(WARM_UP + decisions):
        observe(measurements, chance.choice(names).id, chance)
        prompt = " ".join(f"w{chance.getrandbits(20):x}" for _ in range(PROMPT_WORDS))
        request = Request(prompt=prompt, model=ALIAS, routing=Routing(strategy=strategy))
        begin = time.perf_counter()
        router.plan(request, "benchmark")
        times.append((time.perf_counter() - begin) * 1e6)
    return median(times[WARM_UP:])


def observe(measurements: Measurements, name: str, chance: random.Random) -> None:
    """A request that this model has answered."""
    first, each = chance.uniform(50, 500), chance.uniform(5, 50)
    measurements.observe(name, PROMPT_WORDS, first_token_ms=first, token_ms=each, failed=False)
