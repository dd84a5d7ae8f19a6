"""Registries, circuits, prices and budgets for tests of routing: as little as the router needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import BudgetError, ModelNotFoundError
from llm_runner_router.registry.records import Alias, ModelRecord, Pricing, PromptTemplate
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.plan import Plan
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.types import ModelFormat, Request


def remote(name: str, **values: Any) -> ModelRecord:
    """A model behind an API."""
    return ModelRecord(id=name, name="", format=ModelFormat.API, source=name, **values)


def local(name: str, **values: Any) -> ModelRecord:
    """A model of this service."""
    return ModelRecord(id=name, name="", format=ModelFormat.GGUF, source="m.gguf", **values)


class Store:
    """What is registered; changes count as the real one's do."""

    def __init__(self, *records: ModelRecord) -> None:
        self.records = {record.id: record for record in records}
        self.names: dict[str, Alias] = {}
        self.texts: dict[str, PromptTemplate] = {}
        self.revision = 0

    def __len__(self) -> int:
        return len(self.records)

    def get(self, model: str) -> ModelRecord:
        if model not in self.records:
            raise ModelNotFoundError(model)
        return self.records[model]

    def resolve(self, name: str) -> ModelRecord | None:
        return self.records.get(name)

    def page(self, after: str, limit: int) -> Sequence[ModelRecord]:
        return [self.records[model] for model in sorted(self.records) if model > after][:limit]

    def alias(self, name: str) -> Alias | None:
        return self.names.get(name)

    def template(self, name: str) -> PromptTemplate | None:
        return self.texts.get(name)

    def change(self, *records: ModelRecord, removed: Sequence[str] = ()) -> None:
        self.records |= {record.id: record for record in records}
        for model in removed:
            del self.records[model]
        self.revision += 1


class Surroundings:
    """Circuits, prices and budgets by model."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.spent: set[str] = set()
        self.rests: dict[str, float] = {}

    def allows(self, model: str) -> bool:
        return model not in self.open

    def opens_in(self, model: str) -> float:
        return 12.0 if model in self.open else 0.0

    def resting(self) -> Mapping[str, float]:
        return self.rests

    def per_million(self, record: ModelRecord) -> Pricing | None:
        return record.pricing

    def model_error(self, model: str) -> BudgetError | None:
        if model not in self.spent:
            return None
        return BudgetError(f"model {model}, day", limit_usd=1, spent_usd=2, retry_after=60)


class Market:
    """A router and all that it looks at."""

    def __init__(
        self, *records: ModelRecord, aliases: Sequence[Alias] = (), **config: Mapping[str, Any]
    ) -> None:
        self.store = Store(*records)
        self.store.names = {alias.id: alias for alias in aliases}
        self.measurements, self.loads = Measurements(), Loads()
        self.around = around = Surroundings()
        self.config = Config.checked({"routing": {"seed": 1}, **config})
        self.router = ModelRouter(
            self.store, self.measurements, self.loads, around, around, around, lambda: self.config
        )

    def plan(self, request: Request, caller: str = "alice", **options: Any) -> Plan:
        return self.router.plan(request, caller, **options)

    def order(self, request: Request, caller: str = "alice", **options: Any) -> list[str]:
        return [record.id for record in self.plan(request, caller, **options).order]

    def observe(self, model: str, first_token_ms: float, tokens: int = 1) -> None:
        self.measurements.observe(
            model, tokens, first_token_ms=first_token_ms, token_ms=1.0, failed=False
        )
