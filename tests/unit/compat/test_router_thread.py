from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from llm_runner_router.compat.router_thread import FORKED, THREAD, RouterThread, end
from llm_runner_router.errors import InvalidConfigError, UnavailableError
from llm_runner_router.router import LLMRouter
from unit.compat.echo_router import echo_router


async def running(router: LLMRouter) -> int:
    return (await router.get_status()).running_requests


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def test_what_is_wrong_with_the_router_shows_at_once() -> None:
    with pytest.raises(InvalidConfigError, match="target"):
        RouterThread({}, target="127.0.0.1:1")
    with pytest.raises(InvalidConfigError, match=r"max_?[cC]oncurrent"):
        RouterThread({"performance": {"maxConcurrent": 0}})


def test_work_of_all_threads_is_done_on_one(echoes: RouterThread) -> None:
    async def where(router: LLMRouter) -> str:
        assert isinstance(router, LLMRouter)
        return threading.current_thread().name

    async def from_a_loop() -> str:
        return await echoes.run_async(where)

    said = {echoes.run(where), asyncio.run(from_a_loop()), asyncio.run(from_a_loop())}
    assert said == {THREAD}


def test_errors_come_to_the_caller(echoes: RouterThread) -> None:
    async def fails(_router: LLMRouter) -> None:
        raise KeyError("here")

    with pytest.raises(KeyError, match="here"):
        echoes.run(fails)


def test_a_stream_that_is_closed_early_ends_its_request(echoes: RouterThread) -> None:
    events = echoes.iterate(lambda router: router.process_stream("one two", model="stalls"))
    next(events)
    assert echoes.run(running) == 1
    events.close()
    assert echoes.run(running) == 0


async def test_a_stream_of_another_loop_that_is_closed_early_ends_its_request(
    echoes: RouterThread,
) -> None:
    events = echoes.iterate_async(lambda router: router.process_stream("one two", model="stalls"))
    await anext(events)
    assert await echoes.run_async(running) == 1
    await events.aclose()
    assert await echoes.run_async(running) == 0


async def test_a_caller_that_is_cancelled_cancels_the_work(echoes: RouterThread) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def waits(_router: LLMRouter) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(echoes.run_async(waits))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


def test_a_slow_taker_makes_the_maker_wait(echoes: RouterThread) -> None:
    made = 0

    async def count(_router: LLMRouter) -> AsyncGenerator[int, None]:
        nonlocal made
        while True:
            made += 1
            yield made

    async def settle(_router: LLMRouter) -> int:
        for _ in range(1000):
            await asyncio.sleep(0)
        return made

    numbers = echoes.iterate(count)
    assert next(numbers) == 1
    assert echoes.run(settle) < 100
    assert [next(numbers) for _ in range(200)] == list(range(2, 202))
    numbers.close()


def test_close_ends_the_thread_and_what_waits(echoes: RouterThread) -> None:
    del echoes
    failures: list[BaseException] = []
    before = set(threads())
    with echo_router() as router:
        begun = threading.Event()

        async def waits(_router: LLMRouter) -> None:
            begun.set()
            await asyncio.Event().wait()

        def call() -> None:
            try:
                router.run(waits)
            except UnavailableError as error:
                failures.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        assert begun.wait(10)
    caller.join()
    assert [str(error) for error in failures] == ["the router is closed"]
    assert set(threads()) <= before
    router.close()
    with pytest.raises(UnavailableError, match="closed"):
        router.run(running)


def test_who_closes_hears_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    router = RouterThread()
    closing = LLMRouter.close

    async def fails(self: LLMRouter) -> None:
        await closing(self)
        raise KeyError("closing")

    monkeypatch.setattr(LLMRouter, "close", fails)
    router.run(running)
    with pytest.raises(KeyError, match="closing"):
        router.close()
    router.close()


async def test_close_while_a_loop_waits_is_no_cancellation() -> None:
    with echo_router() as router:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def waits(_router: LLMRouter) -> None:
            loop.call_soon_threadsafe(begun.set)
            await asyncio.Event().wait()

        waiting = asyncio.create_task(router.run_async(waits))
        await begun.wait()
        await asyncio.to_thread(router.close)
        with pytest.raises(UnavailableError, match="closed"):
            await waiting


def test_it_closes_when_nothing_uses_it_any_more() -> None:
    before = set(threads())  # those of earlier tests end whenever they are collected
    router = RouterThread()
    router.run(running)
    (own,) = set(threads()) - before
    del router
    gc.collect()
    own.join(30)  # a collection in that very thread does not wait for its end
    assert not own.is_alive()


PROGRAM = """
from llm_runner_router.compat.router_thread import RouterThread
router = RouterThread()
print(router.run(lambda face: face.check_health()).ready)
stream = router.iterate(lambda face: face.watch_models())
next(stream)
"""


def test_a_program_that_closes_nothing_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


FORKING = """
import gc, os, sys
from llm_runner_router.compat.router_thread import RouterThread

async def numbers(face):
    yield 1
    yield 2

def used(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

unused, router = RouterThread(), RouterThread()
stream = router.iterate(numbers)
next(stream)
child = os.fork()
if child == 0:
    print(used(lambda: router.run(lambda face: face.check_health())))
    print(used(lambda: next(stream)))
    router.close()
    del router, stream
    gc.collect()
    print(used(lambda: unused.run(lambda face: face.check_health()).ready))
    unused.close()
    sys.stdout.flush()
    os._exit(0)
print(os.waitpid(child, 0)[1], next(stream), router.run(lambda face: face.check_health()).ready)
"""


def test_a_fork_of_its_process_cannot_use_it(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FORKING]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    refused = f"UnsupportedError: {FORKED}"
    assert done.stdout.splitlines() == [refused, refused, "True", "0 2 True"]
    assert done.stderr == ""


def test_what_a_fork_lets_go_is_left_to_its_parent() -> None:
    loop = asyncio.new_event_loop()
    assert end(loop, threading.Thread(), LLMRouter(), process=-1) is None
    loop.close()


async def test_a_stream_of_another_loop_that_is_let_go_ends(echoes: RouterThread) -> None:
    ended = threading.Event()

    async def endless(_router: LLMRouter) -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            ended.set()

    numbers = echoes.iterate_async(endless)
    assert await anext(numbers) == 1
    del numbers
    gc.collect()
    assert await asyncio.to_thread(ended.wait, 10)


async def test_a_stream_of_another_loop_comes_to_its_end(echoes: RouterThread) -> None:
    async def numbers(_router: LLMRouter) -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    taken = echoes.iterate_async(numbers)
    assert [number async for number in taken] == [1, 2]
    await taken.aclose()
    await taken.aclose()


async def test_a_stream_of_another_loop_may_outlive_the_router() -> None:
    async def numbers(_router: LLMRouter) -> AsyncGenerator[int, None]:
        yield 1
        yield 2

    with RouterThread() as router:
        taken = router.iterate_async(numbers)
        assert await anext(taken) == 1
    with pytest.raises(UnavailableError, match="closed"):
        await anext(taken)
    await taken.aclose()
    del taken
    gc.collect()  # an error here would be one of the test
