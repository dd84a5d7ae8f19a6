"""What is in memory follows the registry, whichever process has changed it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.store import RegistryStore

logger = logging.getLogger(__name__)


class RegistryFollower:
    """Belongs to the event loop that it is made in. ``forget`` drops what is known of a model."""

    def __init__(
        self, store: RegistryStore, residency: Residency, forget: Callable[[str], None]
    ) -> None:
        self._store = store
        self._residency = residency
        self._forget = forget
        self._following = asyncio.ensure_future(self._follow(store.sequence))
        self._leaving: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Follow no longer. Called once, before residency and store are closed."""
        self._following.cancel()
        await asyncio.wait([self._following])

    async def _follow(self, seen: int) -> None:
        with contextlib.suppress(UnavailableError):  # the store is closed
            while True:
                await self._store.changed(seen)
                models = self._changed_since(seen)
                seen = self._store.sequence
                try:
                    self._apply(models)
                except Exception:  # one model's trouble must not stop the others' changes
                    logger.exception("what is in memory could not follow the registry")

    def _apply(self, models: Sequence[str]) -> None:
        self._residency.refresh()
        for model in models:
            if model not in self._store:
                self._drop(model)

    def _changed_since(self, seen: int) -> Sequence[str]:
        """The models that have changed; all in memory, where the changes are not remembered."""
        changes = self._store.changes_since(seen)
        if changes is None:
            return self._residency.loaded_models()
        return [change.id for change in changes if change.kind == "model"]

    def _drop(self, model: str) -> None:
        """Requests that run on it finish; nothing new reaches it."""
        self._forget(model)
        leaving = asyncio.ensure_future(self._send_away(model))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _send_away(self, model: str) -> None:
        await self._residency.unload(model)
        if model not in self._store:
            self._residency.forget(model)
