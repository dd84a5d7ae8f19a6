"""The looking-after half of LLMRouter: configuration, state and usage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from llm_runner_router.backend import Backend
from llm_runner_router.config.sources import settings_of_program
from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.types import HealthReport, Status


class StateFace(ABC):
    """What a Backend is and does, by methods that take plain values. Methods raise RouterError."""

    @abstractmethod
    async def _opened(self) -> Backend:
        """The backend, ready for use."""

    async def get_usage(
        self, *, first_day: str = "", last_day: str = "", caller: str = "", model: str = ""
    ) -> Sequence[UsageRow]:
        """What was used from day to day (such as ``2026-11-24``), all where nothing is said."""
        query = UsageQuery(first_day, last_day, caller, model)
        return await (await self._opened()).get_usage(query)

    async def get_config(self) -> Mapping[str, Any]:
        """The configuration in force, nested, with snake_case keys."""
        return await (await self._opened()).get_config()

    async def update_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what may change while running; the rest is InvalidConfigError."""
        return await (await self._opened()).update_config(settings_of_program(changes))

    async def get_status(self) -> Status:
        """What the router does now."""
        return await (await self._opened()).get_status()

    async def check_health(self) -> HealthReport:
        """Whether requests are taken."""
        return await (await self._opened()).check_health()
