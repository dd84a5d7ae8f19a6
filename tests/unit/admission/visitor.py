"""Requests that hold their permits as long as a test wants, and a clock that it sets."""

from __future__ import annotations

import asyncio

from llm_runner_router.admission import Admission, Ticket


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Visitor:
    """A task that holds a permit until it is told to go."""

    def __init__(
        self, admission: Admission, log: list[str], name: str = "", ticket: Ticket | None = None
    ) -> None:
        self.go = asyncio.Event()
        self.inside = False
        self.task = asyncio.ensure_future(self._visit(admission, log, name, ticket or Ticket()))

    async def _visit(self, admission: Admission, log: list[str], name: str, ticket: Ticket) -> None:
        async with admission.permit(ticket):
            log.append(name)
            self.inside = True
            await self.go.wait()

    async def leave(self) -> None:
        self.go.set()
        await self.task
