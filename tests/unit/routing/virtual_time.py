"""A loop whose time leaps to the next timer as soon as nothing else is left to do."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Never waits: where nothing could happen any more, it fails instead of hanging."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready:
            timers = [timer.when() for timer in self._scheduled if not timer.cancelled()]
            if not timers:
                raise RuntimeError("everything waits and no timer is left")
            self._now = max(self._now, min(timers))
        super()._run_once()


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs an asynchronous test in virtual time; no task may be left when it ends."""

    @functools.wraps(test)
    def run(*args: Any, **values: Any) -> None:
        async def checked() -> None:
            await test(*args, **values)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, left

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(checked())

    return run


def now() -> float:
    return asyncio.get_running_loop().time()
