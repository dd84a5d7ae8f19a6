"""The choice of a model for a request."""

from __future__ import annotations

from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.store import RegistryStore


class ModelRouter:
    """Chooses among the registered models."""

    def __init__(self, store: RegistryStore, default: str | None) -> None:
        self._store = store
        self._default = default

    def choose(self, model: str | None) -> ModelRecord:
        """The record of ``model``; without one the default, or the only model that there is.

        ModelNotFoundError where that is not registered, InvalidRequestError where several are and
        none is the default.
        """
        wanted = model or self._default
        if wanted is not None:
            return self._store.get(wanted)
        candidates = self._store.page("", 9)
        if not candidates:
            raise ModelNotFoundError("")
        if len(candidates) > 1:
            names = ", ".join(record.id for record in candidates[:8])
            allowed = f"one of {names}{' …' if len(candidates) > 8 else ''} (none is the default)"
            raise InvalidRequestError("model", model, allowed)
        return candidates[0]
