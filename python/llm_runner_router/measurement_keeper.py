"""Measurements that outlive the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from llm_runner_router.errors import RouterError
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.routing.measurements import Measurements

SAVE_SECONDS = 10.0
"""How much a kill may lose: measurements are worth no write for each request."""

logger = logging.getLogger(__name__)


class MeasurementKeeper:
    """Restores what was measured before, and saves what is new now and then, and at the end.

    Belongs to the event loop that it is made in.
    """

    def __init__(
        self, measurements: Measurements, store: RegistryStore, seconds: float = SAVE_SECONDS
    ) -> None:
        self._measurements = measurements
        self._store = store
        self._seconds = seconds
        measurements.restore(store.measurements())
        self._saved = measurements.revision
        self._saving = asyncio.ensure_future(self._save_now_and_then())

    async def close(self) -> None:
        """Save what is left. Called once."""
        self._saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._saving
        await self.save()

    async def save(self) -> None:
        """Save, if anything is new."""
        revision = self._measurements.revision
        if revision == self._saved:
            return
        try:
            await self._store.save_measurements(self._measurements.rows())
        except RouterError as error:
            logger.warning("measurements could not be saved: %s", error.message)
        else:
            self._saved = revision

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.save()
