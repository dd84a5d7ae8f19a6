from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from llm_runner_router.cache.flights import AHEAD, EXTENSION, Flights
from llm_runner_router.decision import Attempt
from llm_runner_router.errors import BudgetError, TimeLimitError, UnavailableError
from llm_runner_router.types import Chunk, Event
from unit.cache.answers import Computation, events
from unit.echoes import collect, settle, until


class Reader:
    """A task that takes the events of a flight."""

    def __init__(
        self,
        flights: Flights,
        compute: Computation,
        key: str = "k",
        deadline: float | None = None,
    ) -> None:
        self.seen: list[Event] = []
        self.own: set[bool] = set()
        self.task = asyncio.ensure_future(self._read(flights.join(key, compute, deadline)))

    async def _read(self, joined: AsyncGenerator[tuple[Event, bool], None]) -> None:
        async with aclosing(joined) as events:
            async for event, own in events:
                self.seen.append(event)
                self.own.add(own)


async def test_equal_requests_are_computed_once_and_each_sees_everything() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute) for _ in range(3)]
    await settle()
    compute.allow(2)
    await settle()
    assert [len(reader.seen) for reader in readers] == [2, 2, 2]
    late = Reader(flights, compute)
    await settle()
    assert late.seen == events()[:2]
    compute.allow(10)
    await asyncio.gather(*(reader.task for reader in (*readers, late)))
    assert all(reader.seen == events() for reader in (*readers, late))
    assert [reader.own for reader in (*readers, late)] == [{True}, {False}, {False}, {False}]
    assert (compute.begun, compute.running, compute.cancelled, len(flights)) == (1, 0, 0, 0)


async def test_others_are_computed_apart() -> None:
    flights, compute = Flights(), Computation()
    await asyncio.gather(*(Reader(flights, compute, key).task for key in "ab"))
    assert compute.begun == 2


async def test_one_that_comes_afterwards_is_computed_anew() -> None:
    flights, compute = Flights(), Computation()
    for _ in range(2):
        assert [event async for event, _ in flights.join("k", compute, None)] == events()
    assert compute.begun == 2


async def test_the_end_of_a_stream_is_the_end_of_its_work() -> None:
    flights, compute = Flights(), Computation()
    async for _ in flights.join("k", compute, None):
        pass
    assert (compute.running, compute.cancelled) == (0, 0)


async def test_the_first_may_leave_without_the_others_noticing() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    first, second = Reader(flights, compute), Reader(flights, compute)
    await settle()
    first.task.cancel()
    await settle()
    compute.allow(10)
    await settle()
    await second.task
    assert second.seen == events()
    assert (compute.begun, compute.cancelled) == (1, 0)


async def test_when_the_last_leaves_the_work_is_cancelled_before_he_is_gone() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute) for _ in range(2)]
    await settle()
    for reader in readers:
        assert compute.running == 1
        reader.task.cancel()
        await asyncio.wait([reader.task])
    assert (compute.running, compute.cancelled, len(flights)) == (0, 1, 0)


async def test_closing_the_stream_early_cancels_too() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    compute.allow()
    async with aclosing(flights.join("k", compute, None)) as stream:
        await anext(stream)
        assert compute.running == 1
    assert (compute.running, compute.cancelled) == (0, 1)


async def test_nobody_joins_a_computation_that_is_being_cancelled() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    leaving = Reader(flights, compute)
    await settle()
    leaving.task.cancel()
    await asyncio.sleep(0)  # the work has been told to end, and has not yet
    newcomer = Reader(flights, compute)
    compute.allow(20)
    await newcomer.task
    assert newcomer.seen == events()
    assert newcomer.own == {True}
    assert (compute.begun, len(flights)) == (2, 0)


async def test_who_has_seen_something_gets_the_error() -> None:
    failure = UnavailableError("gone")
    flights, compute = Flights(), Computation(open_gate=False, failure=failure, fails_after=1)
    readers = [Reader(flights, compute) for _ in range(2)]
    await settle()
    compute.allow(2)
    outcomes = await asyncio.gather(*(r.task for r in readers), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["gone", "gone"]
    assert [type(outcome) for outcome in outcomes] == [UnavailableError, UnavailableError]
    assert compute.begun == 1


async def test_each_gets_an_error_of_its_own() -> None:
    failure = BudgetError("caller a, day", limit_usd=1.0, spent_usd=2.0, retry_after=3.0)
    flights, compute = Flights(), Computation(open_gate=False, failure=failure, fails_after=1)
    readers = [Reader(flights, compute) for _ in range(3)]
    await settle()
    compute.allow(2)
    outcomes = await asyncio.gather(*(r.task for r in readers), return_exceptions=True)
    assert len({id(outcome) for outcome in outcomes}) == 3
    for outcome in outcomes:
        assert isinstance(outcome, BudgetError)
        assert (str(outcome), vars(outcome)) == (str(failure), vars(failure))
        outcome.attempts = (Attempt("m", "echo"),)
    assert failure.attempts == ()


async def test_an_error_that_is_none_of_ours_comes_as_it_is() -> None:
    failure = ValueError("a mistake")
    with pytest.raises(ValueError, match="a mistake") as caught:
        await collect(Flights().join("k", Computation(failure=failure), None))
    assert caught.value is failure


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        (None, None, True),
        (None, 5.0, True),
        (5.0, None, False),
        (5.0, 5.0, True),
        (5.0, 5.0 + EXTENSION, True),
        (5.0, 5.1 + EXTENSION, False),
        (5.0, 1.0, True),
    ],
)
async def test_only_what_lasts_until_the_own_deadline_is_joined(
    first: float | None, second: float | None, *, shared: bool
) -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute, deadline=deadline) for deadline in (first, second)]
    await settle()
    assert compute.begun == (1 if shared else 2)
    compute.allow(40)
    await asyncio.gather(*(reader.task for reader in readers))
    assert readers[1].own == {not shared}
    assert [reader.seen for reader in readers] == [events(), events()]
    extended = None if first is None else first + EXTENSION
    assert compute.deadlines[0] == extended


async def test_what_lasts_longer_is_joined_from_then_on() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute, deadline=deadline) for deadline in (1.0, None, None, 1.0)]
    await settle()
    assert (compute.begun, len(flights)) == (2, 2)
    compute.allow(40)
    await asyncio.gather(*(reader.task for reader in readers))
    assert [reader.own for reader in readers] == [{True}, {True}, {False}, {False}]
    assert len(flights) == 0


async def test_closing_ends_what_nobody_can_join_too() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute, deadline=deadline) for deadline in (1.0, None)]
    await settle()
    await flights.close()
    for reader in readers:
        with pytest.raises(UnavailableError):
            await reader.task
    assert (compute.running, compute.cancelled) == (0, 2)


async def test_who_has_seen_nothing_starts_over() -> None:
    flights = Flights()
    failing = Computation(open_gate=False, failure=TimeLimitError("too late for me"))
    working = Computation(open_gate=False)
    first = Reader(flights, failing)
    await settle()
    others = [Reader(flights, working) for _ in range(3)]
    await settle()
    failing.allow()
    with pytest.raises(TimeLimitError):
        await first.task
    await settle()
    working.allow(10)
    await asyncio.gather(*(reader.task for reader in others))
    assert all(reader.seen == events() for reader in others)
    assert working.begun == 1


async def test_failures_of_others_do_not_add_up() -> None:
    """However many fail one after the other, nobody waits for more than two of them."""
    flights = Flights()
    computations = [
        Computation(open_gate=False, failure=TimeLimitError(str(place))) for place in range(5)
    ]
    readers = [Reader(flights, computation) for computation in computations]

    def begun() -> list[int]:
        return [computation.begun for computation in computations]

    await settle()
    assert begun() == [1, 0, 0, 0, 0]
    computations[0].allow()
    await settle()
    assert begun() == [1, 1, 0, 0, 0]
    computations[1].allow()
    await settle()
    assert begun() == [1, 1, 1, 1, 1]
    for computation in computations[2:]:
        computation.allow()
    outcomes = await asyncio.gather(*(r.task for r in readers), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == list("01234")
    assert len(flights) == 0


async def test_a_failure_that_nobody_waits_for_any_more_is_not_lost_with_noise() -> None:
    flights = Flights()
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    compute = Computation(open_gate=False, failure=UnavailableError("gone"))
    reader = Reader(flights, compute)
    await settle()
    compute.allow()
    reader.task.cancel()
    await settle()
    assert not problems
    assert len(flights) == 0


async def test_closing_ends_what_is_under_way() -> None:
    flights, compute = Flights(), Computation(open_gate=False)
    readers = [Reader(flights, compute) for _ in range(2)]
    await settle()
    await flights.close()
    for reader in (*readers, Reader(flights, compute)):
        with pytest.raises(UnavailableError):
            await reader.task
    assert (compute.begun, compute.running, len(flights)) == (1, 0, 0)


@pytest.mark.parametrize("leaves", [0, 1, 2])
async def test_whoever_leaves_at_any_event_nothing_leaks(leaves: int) -> None:
    before = asyncio.all_tasks()
    flights, compute = Flights(), Computation()
    done: Callable[[], bool] = lambda: asyncio.all_tasks() == before  # noqa: E731
    for count in range(len(events()) + 1):
        readers = [Reader(flights, compute) for _ in range(2)]
        for _ in range(count):
            await asyncio.sleep(0)
        for reader in readers[:leaves]:
            reader.task.cancel()
        await asyncio.wait([reader.task for reader in readers])
        for reader in readers[leaves:]:
            assert reader.seen == events()
        await until(done)
        assert (compute.running, len(flights)) == (0, 0)


async def test_a_stream_that_is_never_begun_computes_nothing() -> None:
    flights, compute = Flights(), Computation()
    await flights.join("k", compute, None).aclose()
    await settle()
    assert compute.begun == 0
    assert await collect(compute())


async def test_the_fastest_reader_sets_the_pace() -> None:
    made: list[int] = []

    async def endless(_: float | None) -> AsyncGenerator[Event, None]:
        while True:
            made.append(len(made))
            yield Chunk("x", (), len(made))

    flights = Flights()
    async with aclosing(flights.join("k", endless, None)) as slow:
        await anext(slow)
        await settle()
        assert len(made) <= 1 + AHEAD
        async with aclosing(flights.join("k", endless, None)) as fast:
            for _ in range(100):
                await anext(fast)
            await settle()
            assert 100 <= len(made) <= 100 + AHEAD
        assert isinstance((await anext(slow))[0], Chunk)
    assert len(flights) == 0
