"""The cache of answers in a real Redis."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integration.redis_server import RedisServer, redis_server
from llm_runner_router.cache import redis as redis_module
from llm_runner_router.cache.answer import MAX_BYTES
from llm_runner_router.cache.cache import AnswerCache, Query
from llm_runner_router.cache.digests import Digests
from llm_runner_router.cache.flights import Flights
from llm_runner_router.cache.key import cache_key
from llm_runner_router.cache.opening import open_store
from llm_runner_router.cache.redis import ABSENCE, PREFIX, RedisStore
from llm_runner_router.candidates import Candidates
from llm_runner_router.config.tree import Config
from llm_runner_router.decision import CacheState
from llm_runner_router.types import Chunk, Complete, Started
from unit.cache.answers import GREEDY, Computation
from unit.echoes import collect, model, until

MODELS = Candidates((model("m", etag="1"),))
KEY = PREFIX + cache_key(GREEDY, MODELS, Digests())


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@asynccontextmanager
async def cache_at(url: str) -> AsyncIterator[AnswerCache]:
    config = Config.checked({"cache": {"url": url}})
    cache = AnswerCache(open_store(config.cache), Flights(), lambda: config)
    try:
        yield cache
    finally:
        await cache.close()


async def state(cache: AnswerCache, compute: Computation) -> CacheState:
    """What the cache did for a request that must be answered whatever happens to Redis."""
    started, *chunks, complete = await collect(cache.answer(Query("r", GREEDY, MODELS), compute))
    assert isinstance(started, Started)
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)) == "because"
    assert isinstance(complete, Complete)
    return complete.cache


async def test_services_share_their_answers(server: RedisServer) -> None:
    compute = Computation()
    async with cache_at(server.url) as one, cache_at(server.url) as two:
        assert await state(one, compute) == CacheState.MISS
        assert await state(two, compute) == CacheState.HIT
    assert compute.begun == 1
    assert server.client.keys() == [KEY.encode()]
    assert 3590 <= server.client.ttl(KEY) <= 3600


async def test_answers_expire(server: RedisServer) -> None:
    compute = Computation()
    async with cache_at(server.url) as cache:
        await state(cache, compute)
        server.client.pexpire(KEY, 1)
        await until(lambda: not server.client.exists(KEY))
        assert await state(cache, compute) == CacheState.MISS


async def test_no_time_is_too_long_for_redis(server: RedisServer) -> None:
    store = RedisStore(server.url)
    await store.put("k", b"v", 10**18)
    assert await store.get("k") == b"v"
    await store.close()


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b'{"model": "m"}', b"[" * 10_000])
async def test_hostile_content_is_a_miss_and_is_replaced(
    server: RedisServer, content: bytes
) -> None:
    compute = Computation()
    server.client.set(KEY, content)
    async with cache_at(server.url) as cache:
        assert await state(cache, compute) == CacheState.MISS
        assert await state(cache, compute) == CacheState.HIT


async def test_another_kind_of_value_is_a_miss(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.client.rpush(KEY, b"a", b"b")
    compute = Computation()
    async with cache_at(server.url) as cache:
        assert await state(cache, compute) == CacheState.MISS
    assert "(ResponseError)" in caplog.text


async def test_of_a_huge_value_little_is_fetched(server: RedisServer) -> None:
    server.client.setrange(KEY, MAX_BYTES, b"x")
    store = RedisStore(server.url)
    assert await store.get(KEY.removeprefix(PREFIX)) is None
    await store.close()


async def test_redis_dies_in_the_middle_and_the_requests_go_on(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    compute = Computation()
    async with cache_at(server.url) as cache:
        assert await state(cache, compute) == CacheState.MISS
        assert await state(cache, compute) == CacheState.HIT
        server.kill()
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert await state(cache, compute) == CacheState.MISS
    warnings = [record for record in caplog.records if "does not answer" in record.message]
    assert len(warnings) == 1
    assert str(server.socket) not in caplog.text


async def test_redis_dies_while_an_answer_is_computed(server: RedisServer) -> None:
    compute = Computation(open_gate=False)
    async with cache_at(server.url) as cache:
        task = asyncio.ensure_future(state(cache, compute))
        compute.allow(3)
        await until(lambda: compute.begun == 1 and not compute.allowed._value)
        server.kill()
        compute.allow(20)
        assert await task == CacheState.MISS


async def test_redis_comes_back(
    server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "other.socket", Clock()
    store = RedisStore(f"unix://{path}", clock=clock)
    assert await store.get("k") is None
    path.symlink_to(server.socket)
    await store.put("k", b"v", 10)
    assert server.client.keys() == []  # it is still left alone
    clock.now = ABSENCE
    with caplog.at_level(logging.INFO, redis_module.__name__):
        await store.put("k", b"v", 10)
    assert await store.get("k") == b"v"
    assert caplog.text.count("answers again") == 1
    await store.close()


async def test_a_long_absence_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    store = RedisStore(f"unix://{tmp_path}/nobody", clock=clock)
    for _ in range(3):
        assert await store.get("k") is None
        clock.now += ABSENCE
    assert caplog.text.count("does not answer") == 1
    await store.close()


async def test_a_redis_that_is_silent_does_not_stall_requests(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()  # takes connections and never says a word
        compute = Computation()
        async with cache_at(f"unix://{tmp_path / 'silent'}") as cache:
            for _ in range(20):
                assert await state(cache, compute) == CacheState.MISS
        listener.setblocking(False)
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()  # it was asked once, not 20 times


async def test_leaving_in_the_middle_of_a_question_breaks_nothing(server: RedisServer) -> None:
    store = RedisStore(server.url)
    await store.put("a", b"1", 10)
    await store.put("b", b"2", 10)
    for steps in range(8):
        task = asyncio.ensure_future(store.get("a"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert await store.get("b") == b"2"  # and not the answer to the question before
    await store.close()
