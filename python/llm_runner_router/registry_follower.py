"""What is in memory follows the registry, whichever process has changed it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.changes.log import Position
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.store import RegistryStore

logger = logging.getLogger(__name__)


class RegistryFollower:
    """Belongs to the event loop that it is made in. ``forget`` drops what is known of a model.

    A removed model is told from others that were registered under its id since, also where both
    are seen as one change.
    """

    def __init__(
        self, store: RegistryStore, residency: Residency, forget: Callable[[str], None]
    ) -> None:
        self._store = store
        self._residency = residency
        self._forget = forget
        self._registered = {record.id: record.created for record in store.models()}
        self._following = asyncio.ensure_future(self._follow(store.position))

    async def close(self) -> None:
        """Follow no longer. Called once, before residency and store are closed."""
        self._following.cancel()
        await asyncio.wait([self._following])

    async def _follow(self, seen: Position) -> None:
        with contextlib.suppress(UnavailableError):  # the store is closed
            while True:
                await self._store.changed(seen)
                models = self._changed_since(seen)
                seen = self._store.position
                try:
                    self._apply(models)
                except Exception:  # one model's trouble must not stop the others' changes
                    logger.exception("what is in memory could not follow the registry")

    def _apply(self, models: Iterable[str]) -> None:
        """Requests that run on what is gone finish; nothing new reaches it."""
        self._residency.refresh()
        for model in models:
            if self._noted(model):
                self._forget(model)
                self._residency.forget(model)

    def _changed_since(self, seen: Position) -> Iterable[str]:
        """The models that have changed; all of them, where the changes are not remembered."""
        changes = self._store.changes_since(seen)
        if changes is None:
            return {*self._registered, *(record.id for record in self._store.models())}
        return [change.id for change in changes if change.kind == "model"]

    def _noted(self, model: str) -> bool:
        """Take note of the registration of ``model``; whether another one is over."""
        known = self._registered.pop(model, None)
        if model in self._store:
            self._registered[model] = self._store.get(model).created
        return known is not None and known != self._registered.get(model)
