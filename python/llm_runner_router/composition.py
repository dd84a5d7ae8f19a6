"""What the router of this process is made of, and how its parts hang together."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from llm_runner_router.admission import Admission
from llm_runner_router.cache.cache import AnswerCache
from llm_runner_router.cache.flights import Flights
from llm_runner_router.cache.opening import open_store
from llm_runner_router.config.tree import Config, RegistryConfig
from llm_runner_router.errors import RouterError
from llm_runner_router.log import Log
from llm_runner_router.measurement_keeper import MeasurementKeeper
from llm_runner_router.pipeline import Pipeline, Stages
from llm_runner_router.registry.catalogue import Catalogue, Knowledge
from llm_runner_router.registry.keeping_loader import KeepingLoader
from llm_runner_router.registry.memory.residency import ModelLoader, Residency, ResidencyLimits
from llm_runner_router.registry.puller import Puller
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.checkpoint.source import source_of
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.registry_follower import RegistryFollower
from llm_runner_router.routing.attempts import Attempts
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.budgets import Budgets
from llm_runner_router.routing.cost import Prices
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where paths begin, what brings models, and what these may take in memory."""

    folder: Path
    memory_bytes: int
    loader: ModelLoader
    pulls: Pulls


@dataclass(frozen=True, slots=True)
class Records:
    """What is kept on disk."""

    store: RegistryStore
    ledger: UsageLedger


@dataclass(frozen=True, slots=True)
class Experience:
    """What was learned of the models."""

    measurements: Measurements
    breakers: Breakers


@dataclass(frozen=True, slots=True)
class Parts:
    """What a runtime is made of once it is initialized."""

    log: Log
    records: Records
    experience: Experience
    keeper: MeasurementKeeper
    catalogue: Catalogue
    stages: Stages
    pipeline: Pipeline
    follower: RegistryFollower

    def forget(self, model: str) -> None:
        """Drop what was learned of a model that is no longer registered."""
        forget(model, self.experience, self.stages)

    async def close(self) -> None:
        """Send away who waits, end what runs, and write down what is left. Called once."""
        self.stages.admission.close()
        await self.stages.cache.close()
        await self.follower.close()
        await self.stages.residency.close()
        await self.keeper.close()
        await self.records.ledger.close()
        await self.records.store.close()
        self.log.close()


def forget(model: str, experience: Experience, stages: Stages) -> None:
    """Drop what was learned of a model."""
    experience.measurements.forget(model)
    experience.breakers.forget(model)
    stages.router.forget(model)
    stages.settlement.forget(model)


async def compose(config: Callable[[], Config], around: Surroundings) -> Parts:
    """All parts, ready.

    InvalidConfigError where the registry, the log file or the cache cannot be used; nothing is
    left open then.
    """
    async with AsyncExitStack() as undo:
        log = Log(config().logging)
        undo.callback(log.close)
        store = await RegistryStore.open(place_of(config().registry))
        undo.push_async_callback(store.close)
        ledger = await UsageLedger.open(store.database, named=lambda: config().budgets.callers)
        records = Records(store, ledger)
        experience = Experience(Measurements(), Breakers(lambda: config().routing, time.monotonic))
        puller = Puller(store, around.pulls, around.folder)
        around = replace(around, loader=KeepingLoader(around.loader, puller.brought))
        stages = staged(config, around, records, experience)
        knowledge = Knowledge(around.loader.estimate, experience.measurements.performance)
        parts = Parts(
            log,
            records,
            experience,
            MeasurementKeeper(experience.measurements, store),
            Catalogue(store, stages.residency, puller, knowledge),
            stages,
            Pipeline(stages, config),
            RegistryFollower(
                store, stages.residency, lambda model: forget(model, experience, stages)
            ),
        )
        undo.pop_all()
    return parts


def place_of(registry: RegistryConfig) -> Path | str | None:
    """Where the registry is kept: a URL, a file, or memory alone."""
    if registry.url is not None:
        return registry.url
    return None if registry.path is None else Path(registry.path)


def located(around: Surroundings, record: ModelRecord) -> tuple[Path, ...]:
    """The files of a model, as far as it is here."""
    try:
        found = around.pulls.find(source_of(record))
    except RouterError:
        return ()
    return () if found is None else found.files


def limits_of(config: Callable[[], Config], memory_bytes: int) -> ResidencyLimits:
    """What models may take in memory and how long they may be idle there."""
    return ResidencyLimits(
        memory_bytes=lambda: memory_bytes,
        idle_timeout=lambda: config().models.idle_timeout,
    )


def staged(
    config: Callable[[], Config], around: Surroundings, records: Records, experience: Experience
) -> Stages:
    """The stages of the pipeline."""
    store, ledger = records.store, records.ledger
    measurements, breakers = experience.measurements, experience.breakers
    limits = limits_of(config, around.memory_bytes)
    residency = Residency(around.loader, store.get, limits)
    budgets = Budgets(ledger, config)
    prices, loads = Prices(), Loads()
    chance = random.Random(config().routing.seed)  # noqa: S311 - jitter, no secret
    performance = config().performance
    return Stages(
        store=store,
        budgets=budgets,
        admission=Admission(
            performance.max_concurrent, performance.max_queue, limits=lambda: config().limits
        ),
        cache=AnswerCache(
            open_store(config().cache),
            Flights(),
            config,
            lambda record: located(around, record),
            residency.running,
        ),
        router=ModelRouter(store, measurements, loads, breakers, prices, budgets, config),
        attempts=Attempts(residency, breakers, measurements, loads, prices, config, random=chance),
        settlement=Settlement(ledger, measurements, store.__contains__),
        residency=residency,
    )
