"""Which models may be asked now: closed circuits, no wish to be left alone, money left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import BudgetError, RateLimitError, RouterError, UnavailableError


class Circuits(Protocol):
    """What knows which models keep failing, and which ask to be left alone."""

    def allows(self, model: str) -> bool:
        """Whether an attempt would be let through."""
        ...

    def opens_in(self, model: str) -> float:
        """Seconds until one would be."""
        ...

    def resting(self) -> Mapping[str, float]:
        """The models that ask to be left alone, with the seconds that are left of it."""
        ...


class ModelBudgets(Protocol):
    """What knows how much was spent on models."""

    def model_error(self, model: str) -> BudgetError | None:
        """The budget that is used up, if one is."""
        ...


class Availability:
    """Asks circuits and budgets."""

    def __init__(
        self, circuits: Circuits, budgets: ModelBudgets, config: Callable[[], Config]
    ) -> None:
        self._circuits = circuits
        self._budgets = budgets
        self._config = config

    def hindered(self, models: Sequence[str], known: Mapping[str, int]) -> dict[str, RouterError]:
        """The errors of those of ``models`` that may not be asked now; ``known`` has them all."""
        found: dict[str, RouterError] = {}
        if not all(map(self._circuits.allows, models)):
            found.update(self._broken(models))
        for model, seconds in self._circuits.resting().items():
            if model in known:
                found.setdefault(model, left_alone(seconds))
        # Only models that have a budget can have used it up.
        for model in self._config().budgets.models:
            if model in known and (error := self._budgets.model_error(model)) is not None:
                found.setdefault(model, error)
        return found

    def _broken(self, models: Sequence[str]) -> dict[str, RouterError]:
        found: dict[str, RouterError] = {}
        for model in models:
            if not self._circuits.allows(model):
                seconds = self._circuits.opens_in(model)
                message = f"its circuit breaker is open, for {seconds:.1f} s more"
                found[model] = UnavailableError(message, reason="CIRCUIT_OPEN")
        return found


def left_alone(seconds: float) -> RateLimitError:
    """Why a model is not asked that has met a rate limit."""
    return RateLimitError(f"asked to be left alone for {seconds:.1f} s", retry_after=seconds)
