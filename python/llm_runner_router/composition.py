"""What the router of this process is made of, and how its parts hang together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.admission import Admission
from llm_runner_router.cache.cache import AnswerCache
from llm_runner_router.cache.flights import Flights
from llm_runner_router.cache.opening import open_store
from llm_runner_router.config import Config
from llm_runner_router.log import Log
from llm_runner_router.measurement_keeper import MeasurementKeeper
from llm_runner_router.pipeline import Pipeline, Stages
from llm_runner_router.registry.catalogue import Catalogue
from llm_runner_router.registry.residency import ModelLoader, Residency
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage import UsageLedger
from llm_runner_router.routing.attempts import Attempts
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.budgets import Budgets
from llm_runner_router.routing.cost import Prices
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runtime is made of once it is initialized. Closed in the order of ``close``."""

    log: Log
    ledger: UsageLedger
    keeper: MeasurementKeeper
    catalogue: Catalogue
    stages: Stages
    pipeline: Pipeline

    async def close(self) -> None:
        """Send away who waits, end what runs, and write down what is left. Called once."""
        stages = self.stages
        stages.admission.close()
        await stages.cache.close()
        await stages.residency.close()
        await self.keeper.close()
        await self.ledger.close()
        await stages.store.close()
        self.log.close()


async def compose(config: Callable[[], Config], folder: Path, loader: ModelLoader) -> Parts:
    """All parts, ready. InvalidConfigError where the registry or the log file cannot be used."""
    log = Log(config().logging)
    try:
        path = config().registry.path
        store = await RegistryStore.open(None if path is None else Path(path))
    except BaseException:
        log.close()
        raise
    try:
        ledger = await UsageLedger.open(store.database)
        return assembled(config, folder, loader, log, store, ledger)
    except BaseException:
        await store.close()
        log.close()
        raise


def assembled(
    config: Callable[[], Config],
    folder: Path,
    loader: ModelLoader,
    log: Log,
    store: RegistryStore,
    ledger: UsageLedger,
) -> Parts:
    """The parts over an open registry."""
    measurements = Measurements()
    keeper = MeasurementKeeper(measurements, store)
    residency = Residency(loader, store.get)
    breakers = Breakers(lambda: config().routing, time.monotonic)
    budgets = Budgets(ledger, config)
    prices, loads = Prices(), Loads()
    router = ModelRouter(store, measurements, loads, breakers, prices, budgets, config)
    chance = random.Random(config().routing.seed)  # noqa: S311 - jitter, no secret
    attempts = Attempts(residency, breakers, measurements, loads, prices, config, random=chance)
    performance = config().performance
    stages = Stages(
        store=store,
        budgets=budgets,
        admission=Admission(
            performance.max_concurrent, performance.max_queue, limits=lambda: config().limits
        ),
        cache=AnswerCache(open_store(config().cache), Flights(), config),
        router=router,
        attempts=attempts,
        settlement=Settlement(ledger, measurements),
        residency=residency,
    )
    catalogue = Catalogue(store, residency, folder)
    return Parts(log, ledger, keeper, catalogue, stages, Pipeline(stages, config))
