"""Two attempts side by side: the first to be accepted wins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llm_runner_router.routing.attempt import RunningAttempt


class Race:
    """Runs an attempt, and a second one beside it where the first takes too long to begin.

    ``second`` makes it, or tells with ``None`` that there is none. One that fails leaves the other
    running. ``attempts`` are those that took part.
    """

    def __init__(
        self, first: RunningAttempt, patience: float, second: Callable[[], RunningAttempt | None]
    ) -> None:
        self.attempts = [first]
        self._patience = patience
        self._second = second

    async def winner(self) -> RunningAttempt | None:
        """The attempt that was accepted first; ``None`` where all have failed.

        All others have ended then, and nothing runs on. Cancelling it ends them all.
        """
        tasks: dict[asyncio.Task[bool], RunningAttempt] = {}
        try:
            async with asyncio.TaskGroup() as group:
                found = await self._first_accepted(group, tasks)
                self._end(tasks, found)
            await self._close_all_but(found)
        except BaseException as error:
            await self._close_all_but(None)
            if isinstance(error, ExceptionGroup):
                raise error.exceptions[0] from None
            raise
        return found

    async def _first_accepted(
        self, group: asyncio.TaskGroup, tasks: dict[asyncio.Task[bool], RunningAttempt]
    ) -> RunningAttempt | None:
        (first,) = self.attempts
        tasks[group.create_task(first.begin())] = first
        done, _ = await asyncio.wait(tasks, timeout=self._patience)
        if not done and (second := self._second()) is not None:
            self.attempts.append(second)
            tasks[group.create_task(second.begin())] = second
        while True:
            for task, attempt in tasks.items():
                if task.done() and task.result():
                    return attempt
            pending = [task for task in tasks if not task.done()]
            if not pending:
                return None
            await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)

    def _end(
        self, tasks: dict[asyncio.Task[bool], RunningAttempt], found: RunningAttempt | None
    ) -> None:
        """Cancel what has been overtaken."""
        for task, attempt in tasks.items():
            if attempt is not found and not task.done():
                task.cancel()
                if not attempt.target.hedged:
                    attempt.overtake()

    async def _close_all_but(self, found: RunningAttempt | None) -> None:
        for attempt in self.attempts:
            if attempt is not found:
                await attempt.close()
