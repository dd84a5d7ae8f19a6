from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from llm_runner_router.admission import PATIENCE, Admission, Ticket
from llm_runner_router.config.routing import CallerLimits, LimitsConfig
from llm_runner_router.errors import (
    OverloadedError,
    RateLimitError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.preferences import Priority
from unit.admission.visitor import Clock, Visitor
from unit.echoes import settle, until


async def test_only_so_many_run_and_the_rest_wait() -> None:
    admission, log = Admission(2, 10), list[str]()
    visitors = [Visitor(admission, log, name) for name in "abc"]
    await settle()
    assert (admission.running, admission.queued, log) == (2, 1, ["a", "b"])
    await visitors[0].leave()
    await settle()
    assert (admission.running, admission.queued, log) == (2, 0, ["a", "b", "c"])
    for visitor in visitors:
        await visitor.leave()
    assert admission.running == 0


async def test_the_earliest_deadline_goes_first() -> None:
    admission, log = Admission(1, 10), list[str]()
    now = time.monotonic()
    first = Visitor(admission, log, "first")
    await settle()
    later = Visitor(admission, log, "later", Ticket(deadline=now + 20))
    none = Visitor(admission, log, "none")
    sooner = Visitor(admission, log, "sooner", Ticket(deadline=now + 10))
    for visitor in (first, sooner, later, none):
        await settle()
        await visitor.leave()
    assert log == ["first", "sooner", "later", "none"]


async def test_past_the_queue_it_is_overloaded() -> None:
    admission, log = Admission(1, 1), list[str]()
    visitors = [Visitor(admission, log) for _ in range(2)]
    await settle()
    with pytest.raises(OverloadedError) as caught:
        async with admission.permit(Ticket()):
            pass
    assert 0.1 <= caught.value.retry_after <= 60
    for visitor in visitors:
        await visitor.leave()


async def test_the_hint_follows_recent_durations() -> None:
    clock = iter(range(0, 1000, 10))
    admission = Admission(1, 0, clock=lambda: float(next(clock)))
    async with admission.permit(Ticket()):
        pass
    assert admission.retry_after() == 10.0


async def test_a_deadline_passes_in_the_queue() -> None:
    admission, log = Admission(1, 5), list[str]()
    visitor = Visitor(admission, log)
    await settle()
    with pytest.raises(TimeLimitError):
        async with admission.permit(Ticket(deadline=time.monotonic() + 0.01)):
            pass
    assert admission.queued == 0
    await visitor.leave()


async def test_a_passed_deadline_is_refused_at_once() -> None:
    with pytest.raises(TimeLimitError):
        async with Admission(1, 5).permit(Ticket(deadline=time.monotonic() - 1)):
            pass


async def test_a_cancelled_waiter_gives_its_place_back() -> None:
    admission, log = Admission(1, 1), list[str]()
    first, second = Visitor(admission, log), Visitor(admission, log)
    await settle()
    second.task.cancel()
    await settle()
    assert admission.queued == 0
    third = Visitor(admission, log, "third")
    await first.leave()
    await settle()
    assert third.inside
    await third.leave()


async def test_a_permit_given_to_a_cancelled_waiter_is_passed_on() -> None:
    admission, log = Admission(1, 5), list[str]()
    first, second, third = (Visitor(admission, log, name) for name in "123")
    await settle()
    first.go.set()
    await until(first.task.done)  # the permit goes to the second, which has not run since
    second.task.cancel()
    await settle()
    assert third.inside or second.inside
    assert admission.running == 1
    for visitor in (second, third):
        visitor.go.set()
    await asyncio.gather(second.task, third.task, return_exceptions=True)
    assert admission.running == 0


async def test_cancelling_before_the_release_in_one_step() -> None:
    admission, log = Admission(1, 5), list[str]()
    first, second, third = (Visitor(admission, log, name) for name in "123")
    await settle()
    second.task.cancel()
    first.go.set()
    await settle()
    assert third.inside
    assert admission.running == 1
    await third.leave()


async def test_it_can_be_resized_while_used() -> None:
    admission, log = Admission(1, 5), list[str]()
    visitors = [Visitor(admission, log, name) for name in "abc"]
    await settle()
    admission.resize(3, 5)
    await settle()
    assert log == ["a", "b", "c"]
    admission.resize(1, 0)
    with pytest.raises(OverloadedError):
        async with admission.permit(Ticket()):
            pass
    for visitor in visitors:
        await visitor.leave()


async def test_closing_sends_the_waiting_away() -> None:
    admission, log = Admission(1, 5), list[str]()
    first, second = Visitor(admission, log), Visitor(admission, log)
    await settle()
    admission.close()
    with pytest.raises(UnavailableError):
        await second.task
    with pytest.raises(UnavailableError):
        async with admission.permit(Ticket()):
            pass
    await first.leave()
    assert admission.running == 0


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_no_permit_is_lost(seed: int) -> None:
    choice = random.Random(seed)
    limit = choice.randint(1, 4)
    admission, visitors = Admission(limit, 6), list[Visitor]()
    for _ in range(200):
        match choice.randrange(5):
            case 0 | 1:
                deadline = choice.choice([None, time.monotonic() + choice.random() * 0.01])
                ticket = Ticket(
                    choice.choice("abc"),
                    choice.choice(list(Priority)),
                    deadline,
                    choice.randrange(9),
                )
                visitors.append(Visitor(admission, [], "", ticket))
            case 2 if visitors:
                choice.choice(visitors).task.cancel()
            case 3 if visitors:
                choice.choice(visitors).go.set()
            case _:
                await asyncio.sleep(0)
        inside = sum(visitor.inside and not visitor.task.done() for visitor in visitors)
        assert inside <= admission.running <= limit
        assert admission.queued <= 6
    for visitor in visitors:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in visitors), return_exceptions=True)
    assert (admission.running, admission.queued) == (0, 0)
    async with admission.permit(Ticket()):
        assert admission.running == 1


async def test_priorities_go_first() -> None:
    admission, log = Admission(1, 10), list[str]()
    first = Visitor(admission, log, "first")
    await settle()
    visitors = [
        Visitor(admission, log, str(priority), Ticket(priority=priority)) for priority in Priority
    ]
    for visitor in (first, *reversed(visitors)):
        await settle()
        await visitor.leave()
    assert log == ["first", "high", "normal", "low"]


async def test_callers_share_whatever_they_queue() -> None:
    admission, log = Admission(1, 100), list[str]()
    first = Visitor(admission, log, "first")
    await settle()
    flood = [Visitor(admission, log, "flood", Ticket("flood", tokens=10)) for _ in range(6)]
    await settle()
    others = [Visitor(admission, log, "other", Ticket("other", tokens=10)) for _ in range(3)]
    await first.leave()
    for visitor in (*flood, *others):
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in (*flood, *others)))
    assert log == ["first", *["flood", "other"] * 3, "flood", "flood", "flood"]


async def test_what_an_answer_took_counts_once_it_is_settled() -> None:
    admission, log = Admission(1, 100), list[str]()
    async with admission.permit(Ticket("greedy", tokens=10)) as permit:
        waiting = [
            Visitor(admission, log, name, Ticket(name, tokens=10))
            for name in ("greedy", "modest", "modest", "modest")
        ]
        await settle()
        permit.settle(35)
    for visitor in waiting:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in waiting))
    # Both waited at 0 and 10 + 25; ten a turn for the modest one, so its third is before.
    assert log == ["modest", "modest", "modest", "greedy"]


async def test_a_share_of_two_has_two_turns() -> None:
    limits = LimitsConfig(callers={"big": CallerLimits(share=2.0)})
    admission, log = Admission(1, 100, limits=lambda: limits), list[str]()
    first = Visitor(admission, log, "first")
    await settle()
    waiting = [
        Visitor(admission, log, name, Ticket(name, tokens=10)) for name in ("small", "big") * 6
    ]
    await settle()
    await first.leave()
    for visitor in waiting:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in waiting))
    assert log[1:10].count("big") == 6
    assert log[1:10].count("small") == 3


async def test_the_wait_is_told() -> None:
    clock = Clock()
    admission = Admission(1, 5, clock=clock)
    async with admission.permit(Ticket()) as permit:
        assert permit.waited == 0.0
        waits = asyncio.ensure_future(waited(admission))
        await settle()
        clock.now = 4.5
    assert await waits == 4.5


async def waited(admission: Admission) -> float:
    async with admission.permit(Ticket()) as permit:
        return permit.waited


async def test_who_has_lost_its_patience_goes_before_the_urgent_that_came_later() -> None:
    clock, log = Clock(), list[str]()
    admission = Admission(1, 10, clock=clock)
    first = Visitor(admission, log, "first")
    await settle()
    low = Visitor(admission, log, "low", Ticket(priority=Priority.LOW))
    await settle()
    clock.now = PATIENCE + 1
    urgent = Visitor(admission, log, "urgent", Ticket(priority=Priority.HIGH))
    for visitor in (first, low, urgent):
        await settle()
        await visitor.leave()
    assert log == ["first", "low", "urgent"]


def limited(**limits: Any) -> Admission:
    config = LimitsConfig(each_caller=CallerLimits(**limits))
    return Admission(1, 5, limits=lambda: config)


async def test_streams_that_run_and_those_that_wait_count() -> None:
    admission, log = limited(concurrent_streams=2), list[str]()
    visitors = [Visitor(admission, log, name, Ticket("a")) for name in "12"]
    await settle()
    assert (admission.running, admission.queued) == (1, 1)
    with pytest.raises(RateLimitError, match=r"caller 'a' .*\(concurrent_streams\)"):
        async with admission.permit(Ticket("a")):
            pass
    visitors[1].task.cancel()
    await settle()
    other = Visitor(admission, log, "3", Ticket("a"))
    await settle()
    assert admission.queued == 1
    await visitors[0].leave()
    await other.leave()
    async with admission.permit(Ticket("a")):
        pass


async def test_a_request_that_found_the_queue_full_is_not_counted() -> None:
    config = LimitsConfig(each_caller=CallerLimits(requests_per_minute=1))
    admission = Admission(1, 0, limits=lambda: config)
    async with admission.permit(Ticket("other")):
        for _ in range(2):
            with pytest.raises(OverloadedError) as caught:
                async with admission.permit(Ticket("a")):
                    pass
            assert caught.value.reason == "OVERLOADED"
    async with admission.permit(Ticket("a")):
        pass


async def test_the_tokens_of_the_answer_count_for_the_minute() -> None:
    admission = limited(tokens_per_minute=100)
    async with admission.permit(Ticket("a", tokens=10)) as permit:
        permit.settle(60)
        permit.settle(90)
    async with admission.permit(Ticket("a", tokens=10)) as permit:
        permit.settle(5)  # less than was booked: nothing is given back
    with pytest.raises(RateLimitError, match="used 100 of 100 tokens"):
        async with admission.permit(Ticket("a", tokens=1)):
            pass


async def test_whoever_is_refused_takes_no_place() -> None:
    admission = limited(requests_per_minute=1)
    async with admission.permit(Ticket("a")):
        pass
    with pytest.raises(RateLimitError):
        async with admission.permit(Ticket("a")):
            pass
    assert (admission.running, admission.queued) == (0, 0)
    async with admission.permit(Ticket("b")):
        assert admission.running == 1


async def test_a_newcomer_does_not_make_up_for_what_others_had_while_nobody_waited() -> None:
    admission, log = Admission(1, 100), list[str]()
    for _ in range(20):
        async with admission.permit(Ticket("busy", tokens=10)):
            pass
    first = Visitor(admission, log, "first", Ticket("busy", tokens=10))
    await settle()
    waiting = [
        Visitor(admission, log, name, Ticket(name, tokens=10))
        for name in ("new", "new", "new", "new", "busy", "busy")
    ]
    await settle()
    await first.leave()
    for visitor in waiting:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in waiting))
    assert "busy" in log[1:4]


async def test_an_answer_counts_by_the_share_of_its_caller() -> None:
    limits = LimitsConfig(callers={"big": CallerLimits(share=10.0)})
    admission, log = Admission(1, 100, limits=lambda: limits), list[str]()
    async with admission.permit(Ticket("big", tokens=10)) as permit:
        waiting = [Visitor(admission, log, "big", Ticket("big", tokens=10))]
        waiting += [Visitor(admission, log, "small", Ticket("small", tokens=10)) for _ in "12"]
        await settle()
        permit.settle(60)  # six for its share, less than the ten of one small request
    for visitor in waiting:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in waiting))
    assert log == ["small", "big", "small"]


async def test_who_fills_the_queue_gives_way_to_others() -> None:
    admission, log = Admission(1, 3), list[str]()
    runs = Visitor(admission, log, "runs", Ticket("hog"))
    hog = [Visitor(admission, log, f"hog{n}", Ticket("hog")) for n in range(3)]
    await settle()
    other = Visitor(admission, log, "other", Ticket("other"))
    await settle()
    assert admission.queued == 3
    with pytest.raises(OverloadedError):
        await hog[2].task
    again = Visitor(admission, log, "again", Ticket("other"))
    with pytest.raises(OverloadedError):
        await again.task
    urgent = Visitor(admission, log, "low", Ticket("third", Priority.LOW))
    with pytest.raises(OverloadedError):
        await urgent.task
    stayed = (runs, hog[0], hog[1], other)
    for visitor in stayed:
        visitor.go.set()
    await asyncio.gather(*(visitor.task for visitor in stayed))
    assert sorted(log) == ["hog0", "hog1", "other", "runs"]
    assert (admission.running, admission.queued) == (0, 0)
