from __future__ import annotations

import asyncio
import threading

import pytest

from llm_runner_router.registry.sources.threads import ended, in_thread


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_work_is_never_left_alone() -> None:
    started, go, done = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(word: str, *, end: str) -> str:
        loop.call_soon_threadsafe(started.set)
        go.wait()
        done.set()
        return word + end

    task = asyncio.create_task(in_thread(work, "a", end="b"))
    await started.wait()
    left_alone = []
    for _ in range(2):
        task.cancel()
        await turns()
        left_alone.append(task.done())
    go.set()
    assert left_alone == [False, False]
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done.is_set()
    assert await in_thread(work, "a", end="b") == "ab"


async def test_errors_come_through() -> None:
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


async def test_the_end_is_waited_for_whatever_it_is() -> None:
    async def fail() -> None:
        raise ValueError

    failing = asyncio.create_task(fail())
    await ended(failing)
    assert isinstance(failing.exception(), ValueError)
    cancelled = asyncio.create_task(asyncio.Event().wait())
    cancelled.cancel()
    await ended(cancelled)
    assert cancelled.cancelled()
