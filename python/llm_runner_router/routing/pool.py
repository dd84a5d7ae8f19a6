"""Groups of models that a request may go to, kept ready from one decision to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from llm_runner_router.errors import ModelNotFoundError
from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measured import MeasuredRoster
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.roster import Prices, Roster
from llm_runner_router.routing.snapshot import Snapshot

CAPACITY = 256
"""Groups that are kept. Requests name them, so their number must have a bound."""


class Store(Protocol):
    """What knows the registered models."""

    @property
    def revision(self) -> int:
        """Another number after every change of models or aliases."""
        ...

    def __len__(self) -> int: ...

    def get(self, model: str) -> ModelRecord:
        """A record; ModelNotFoundError where there is none."""
        ...

    def resolve(self, name: str) -> ModelRecord | None:
        """The model of that id, else the highest version of that name, where there is one."""
        ...

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        """At most ``limit`` records behind ``after``, in the order of ids."""
        ...

    def alias(self, name: str) -> Alias | None:
        """An alias, or ``None``."""
        ...

    def template(self, name: str) -> PromptTemplate | None:
        """A prompt template, or ``None``."""
        ...


class Pool:
    """One group: what is known, measured and running of its models. ``key`` tells it apart."""

    def __init__(
        self, key: tuple[str, ...], roster: Roster, measured: MeasuredRoster, loads: Loads
    ) -> None:
        self.key = key
        self.roster = roster
        self._measured = measured
        self._loads = loads

    def snapshot(
        self, prompt_tokens: int, answer_tokens: int, shares: Mapping[str, float]
    ) -> Snapshot:
        """All of them as they stand now, for a request of that size."""
        measured = self._measured.current(prompt_tokens)
        load = self.roster.outstanding(self._loads.busy)
        return Snapshot(self.roster, measured, load, prompt_tokens, answer_tokens, shares)


class Pools:
    """The groups of the moment; a change of the registry makes them anew."""

    def __init__(
        self, store: Store, measurements: Measurements, loads: Loads, prices: Prices
    ) -> None:
        self._store = store
        self._measurements = measurements
        self._loads = loads
        self._prices = prices
        self._pools: dict[tuple[str, ...], Pool] = {}
        self._revision = store.revision

    def all(self) -> Pool:
        """Every registered model."""
        return self._kept(("all",), lambda: self._store.page("", len(self._store)), {})

    def of_models(self, *models: str) -> Pool:
        """The registered ones of ``models``."""
        return self._kept(("models", *models), lambda: self._registered(models), {})

    def of_alias(self, alias: Alias, *others: str) -> Pool:
        """The targets of ``alias`` and ``others`` (of weight 0), as far as they are registered."""
        weights = dict.fromkeys(others, 0.0)
        weights.update((target.model, target.weight) for target in alias.targets)
        return self._kept(("alias", alias.id, *others), lambda: self._registered(weights), weights)

    def _registered(self, models: Iterable[str]) -> Sequence[ModelRecord]:
        """The records of those of ``models`` that there are."""
        found = []
        for model in dict.fromkeys(models):
            with suppress(ModelNotFoundError):
                found.append(self._store.get(model))
        return found

    def _kept(
        self,
        key: tuple[str, ...],
        records: Callable[[], Sequence[ModelRecord]],
        weights: Mapping[str, float],
    ) -> Pool:
        """The pool of ``key``, made where there is none yet."""
        revision = self._store.revision
        if revision != self._revision:
            self._pools.clear()
            self._revision = revision
        pool = self._pools.get(key)
        if pool is None:
            if len(self._pools) >= CAPACITY:
                self._pools.clear()
            roster = Roster.of(records(), self._prices, weights)
            pool = Pool(key, roster, MeasuredRoster(roster, self._measurements), self._loads)
            self._pools[key] = pool
        return pool
