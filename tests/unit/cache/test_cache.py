from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.cache.cache import AnswerCache, Query
from llm_runner_router.cache.flights import EXTENSION, Flights
from llm_runner_router.cache.memory import MemoryStore
from llm_runner_router.candidates import Candidates
from llm_runner_router.config.tree import Config
from llm_runner_router.decision import Attempt, CacheState, Decision
from llm_runner_router.errors import TimeLimitError, UnavailableError
from llm_runner_router.preferences import CacheControl, CacheMode
from llm_runner_router.types import (
    CacheCounts,
    Chunk,
    Complete,
    Event,
    FinishReason,
    Request,
    Started,
)
from unit.cache.answers import GREEDY, METRICS, Computation, events
from unit.echoes import collect, leap, model, settle

MODELS = Candidates((model("m", etag="1"),))


class Store(MemoryStore):
    """A store that remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(1 << 20)
        self.asked = 0
        self.ttls: list[int] = []
        self.values: list[bytes] = []
        self.closed = False
        self.lies: bytes | None = None

    async def get(self, key: str) -> bytes | None:
        self.asked += 1
        return self.lies if self.lies is not None else await super().get(key)

    async def put(self, key: str, value: bytes, ttl: int) -> None:
        self.ttls.append(ttl)
        self.values.append(value)
        await super().put(key, value, ttl)

    async def close(self) -> None:
        self.closed = True
        await super().close()


class Scene:
    """A cache, its store, and the computation behind it."""

    def __init__(self, compute: Computation | None = None, **config: Any) -> None:
        self.store = Store()
        self.flights = Flights()
        settings = Config.checked({"cache": config})
        self.cache = AnswerCache(self.store, self.flights, lambda: settings)
        self.compute = compute or Computation()

    def answer(
        self, request: Request = GREEDY, name: str = "mine", **values: Any
    ) -> AsyncGenerator[Event, None]:
        return self.cache.answer(Query(name, request, MODELS, **values), self.compute)

    async def state(self, request: Request = GREEDY) -> CacheState:
        *_, complete = await collect(self.answer(request))
        assert isinstance(complete, Complete)
        return complete.cache


def controlled(**values: Any) -> Request:
    return replace(GREEDY, cache=CacheControl(**values))


async def test_a_miss_is_computed_and_the_next_is_a_hit() -> None:
    scene = Scene()
    first = await collect(scene.answer())
    assert first == [
        *events()[:-1],
        Complete(FinishReason.STOP, "m", METRICS, cache=CacheState.MISS),
    ]
    second = await collect(scene.answer(name="second"))
    started, *chunks, complete = second
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    assert (started.request_id, started.model, started.decision) == ("second", "m", None)
    assert [chunk.text for chunk in chunks if isinstance(chunk, Chunk)] == list("because")
    assert (complete.cache, complete.attempts) == (CacheState.HIT, ())
    assert (complete.metrics.cost_usd, complete.metrics.saved_cost_usd) == (0.0, 0.25)
    assert scene.compute.begun == 1
    assert scene.cache.counts() == CacheCounts(hits=1, misses=1, saved_cost_usd=0.25)


async def test_another_request_is_another_answer() -> None:
    scene = Scene()
    assert await scene.state() == CacheState.MISS
    assert await scene.state(replace(GREEDY, prompt="who?")) == CacheState.MISS


async def test_an_answer_is_there_as_soon_as_its_stream_has_ended() -> None:
    scene = Scene()
    async with aclosing(scene.answer()) as stream:
        async for event in stream:
            if isinstance(event, Complete):
                break
    assert await scene.state() == CacheState.HIT


@pytest.mark.parametrize(
    ("request_", "config"),
    [
        (Request(prompt="why?"), {}),
        (GREEDY, {"enabled": False}),
        (controlled(ttl=60), {"enabled": False}),
        (GREEDY, {"ttl": 0}),
        (controlled(ttl=0), {}),
        (controlled(mode=CacheMode.BYPASS), {}),
    ],
)
async def test_where_it_is_off_nothing_is_done(request_: Request, config: dict[str, Any]) -> None:
    scene = Scene(**config)
    tasks = asyncio.all_tasks()
    for _ in range(2):
        async with aclosing(scene.answer(request_)) as stream:
            assert [event async for event in stream] == events()
            assert asyncio.all_tasks() == tasks
    assert scene.compute.begun == 2
    assert (scene.store.asked, scene.store.ttls) == (0, [])
    assert scene.cache.counts() == CacheCounts()


async def test_where_it_is_off_the_key_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    unhashable = replace(GREEDY, temperature=1.0, provider_options={"x": object()})
    monkeypatch.setattr(scene.compute, "answer", [])
    assert await collect(scene.answer(unhashable)) == []


async def test_any_sampling_is_kept_where_the_request_asks_for_it() -> None:
    scene = Scene()
    request = Request(prompt="why?", temperature=1.0, cache=CacheControl(any_sampling=True))
    assert await scene.state(request) == CacheState.MISS
    assert await scene.state(request) == CacheState.HIT
    assert await scene.state(replace(request, cache=CacheControl())) == CacheState.OFF


async def test_bypass_does_not_look_even_where_there_is_something() -> None:
    scene = Scene()
    await scene.state()
    assert await scene.state(controlled(mode=CacheMode.BYPASS)) == CacheState.OFF
    assert scene.compute.begun == 2


async def test_refresh_does_not_look_but_keeps() -> None:
    scene = Scene()
    await scene.state()
    scene.compute.answer = events("so")
    asked = scene.store.asked
    assert await scene.state(controlled(mode=CacheMode.REFRESH)) == CacheState.REFRESHED
    assert scene.store.asked == asked
    *chunks, _ = (await collect(scene.answer()))[1:]
    assert [chunk.text for chunk in chunks if isinstance(chunk, Chunk)] == ["s", "o"]
    assert scene.cache.counts() == CacheCounts(hits=1, misses=1, saved_cost_usd=0.25)


async def test_the_request_decides_how_long_else_the_configuration() -> None:
    scene = Scene(ttl=100)
    await scene.state()
    await scene.state(replace(controlled(ttl=5), prompt="who?"))
    assert scene.store.ttls == [100, 5]


@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.CONTENT_FILTER])
async def test_answers_that_are_not_whole_are_not_kept(reason: FinishReason) -> None:
    scene = Scene(Computation(events("be", reason)))
    assert await scene.state() == CacheState.MISS
    assert await scene.state() == CacheState.MISS
    assert scene.store.ttls == []


async def test_answers_that_fail_are_not_kept() -> None:
    scene = Scene(Computation(failure=UnavailableError("gone"), fails_after=3))
    with pytest.raises(UnavailableError):
        await collect(scene.answer())
    assert scene.store.ttls == []


async def test_what_was_kept_is_free_of_what_belongs_to_one_request() -> None:
    scene = Scene()
    started, *rest, complete = events()
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    started = replace(started, decision=Decision("m", "cost-optimized"))
    complete = replace(complete, attempts=(Attempt("m", "echo"),))
    scene.compute.answer = [started, *rest, complete]
    await scene.state()
    kept = json.loads(scene.store.values[0])
    assert set(kept) == {"model", "finish_reason", "metrics", "chunks", "prompt_logprobs"}
    assert "first" not in scene.store.values[0].decode()


async def test_what_cannot_be_believed_is_a_miss() -> None:
    scene = Scene()
    scene.store.lies = b"{}"
    assert await scene.state() == CacheState.MISS


async def test_neither_is_an_answer_of_a_model_that_may_not_answer() -> None:
    scene = Scene()
    await scene.state()
    assert await scene.state() == CacheState.HIT
    scene.store.lies = scene.store.values[0].replace(b'"model":"m"', b'"model":"n"')
    assert scene.store.lies != scene.store.values[0]
    assert await scene.state() == CacheState.MISS


async def test_equal_requests_at_once_are_computed_once() -> None:
    decided = Started("first", "m", decision=Decision("m", "balanced"))
    scene = Scene(Computation([decided, *events()[1:]], open_gate=False))
    tasks = [asyncio.ensure_future(collect(scene.answer(name=name))) for name in "abc"]
    await settle()
    scene.compute.allow(20)
    first, *others = await asyncio.gather(*tasks)
    assert first[0] == decided
    for name, answer in zip("bc", others, strict=True):
        started, *chunks, complete = answer
        assert isinstance(started, Started)
        assert isinstance(complete, Complete)
        assert (started.request_id, started.decision) == (name, None)
        assert chunks == events()[1:-1]
        assert (complete.cache, complete.attempts) == (CacheState.COALESCED, ())
        assert (complete.metrics.cost_usd, complete.metrics.saved_cost_usd) == (0.0, 0.25)
        assert complete.metrics.duration_ms == 0.0
    assert scene.compute.begun == 1
    assert scene.cache.counts() == CacheCounts(misses=1, coalesced=2, saved_cost_usd=0.5)


async def test_the_answer_is_kept_although_the_first_to_ask_has_left() -> None:
    scene = Scene(Computation(open_gate=False))
    first, second = (asyncio.ensure_future(collect(scene.answer(name=name))) for name in "ab")
    await settle()
    first.cancel()
    await settle()
    scene.compute.allow(20)
    await second
    assert await scene.state() == CacheState.HIT
    assert scene.compute.begun == 1


async def test_when_all_leave_nothing_is_kept_or_left_behind() -> None:
    scene = Scene(Computation(open_gate=False))
    scene.compute.allow(3)
    async with aclosing(scene.answer()) as stream:
        await anext(stream)
    assert (scene.compute.running, scene.compute.cancelled, len(scene.flights)) == (0, 1, 0)
    assert scene.store.ttls == []


async def test_closing_closes_the_store_and_ends_what_is_computed() -> None:
    scene = Scene(Computation(open_gate=False))
    task = asyncio.ensure_future(collect(scene.answer()))
    await settle()
    await scene.cache.close()
    with pytest.raises(UnavailableError):
        await task
    assert scene.store.closed
    assert scene.compute.running == 0


async def test_an_answer_that_must_be_computed_alone_is_kept_but_not_shared() -> None:
    scene, far = Scene(Computation(open_gate=False)), time.monotonic() + 1000.0
    tasks = [
        asyncio.ensure_future(collect(scene.answer(name=name, alone=alone, deadline=far)))
        for name, alone in (("a", False), ("b", True), ("c", False), ("d", True))
    ]
    await settle()
    assert scene.compute.begun == 3
    assert sorted(scene.compute.deadlines, key=str) == sorted([far + EXTENSION, far, far], key=str)
    scene.compute.allow(60)
    ends = [answer[-1] for answer in await asyncio.gather(*tasks)]
    states = [end.cache for end in ends if isinstance(end, Complete)]
    miss = CacheState.MISS
    assert states == [miss, miss, CacheState.COALESCED, miss]
    *_, last = await collect(scene.answer(alone=True))
    assert isinstance(last, Complete)
    assert last.cache is CacheState.HIT


@pytest.mark.parametrize(
    "control", [CacheControl(CacheMode.BYPASS), CacheControl(CacheMode.REFRESH)]
)
async def test_what_is_not_shared_has_the_deadline_of_who_asks(control: CacheControl) -> None:
    scene = Scene()
    await collect(scene.answer(replace(GREEDY, cache=control), deadline=7.0))
    assert scene.compute.deadlines == [7.0]


async def test_who_shares_leaves_by_the_own_deadline_and_the_work_goes_on() -> None:
    scene = Scene(Computation(open_gate=False))
    async with asyncio.timeout(30):
        deadline = time.monotonic() + 20.0
        first = asyncio.ensure_future(collect(scene.answer(deadline=deadline)))
        await settle()
        second = asyncio.ensure_future(collect(scene.answer(deadline=deadline + 4.0)))
        await leap(deadline)
        with pytest.raises(TimeLimitError, match="the deadline passed"):
            await first
        scene.compute.allow(20)
        await second
    assert scene.compute.begun == 1
