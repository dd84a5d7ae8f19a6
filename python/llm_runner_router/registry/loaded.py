"""What is read of a registry when it is opened, apart from its usage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.changes.log import ChangeLog, read_changes
from llm_runner_router.registry.content import Content
from llm_runner_router.registry.records import MeasurementRow
from llm_runner_router.registry.storage.identity import read_epoch
from llm_runner_router.registry.storage.measurement_table import read_measurements


@dataclass(frozen=True, slots=True)
class Loaded:
    """``epoch`` tells registries apart."""

    epoch: str
    log: ChangeLog
    content: Content
    measurements: Sequence[MeasurementRow]

    @classmethod
    async def read(cls, connection: AsyncConnection) -> Loaded:
        """Read it all.

        The log comes first: what others change meanwhile is read twice then, and never missed.
        """
        log = ChangeLog(await read_changes(connection, 0))
        content = await Content.load(connection)
        return cls(await read_epoch(connection), log, content, await read_measurements(connection))
