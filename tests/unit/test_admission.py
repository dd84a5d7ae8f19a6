from __future__ import annotations

import asyncio
import random
import time

import pytest

from llm_runner_router.admission import Admission
from llm_runner_router.errors import OverloadedError, TimeLimitError, UnavailableError
from unit.echoes import settle, until


class Visitor:
    """A task that holds a permit until it is told to go."""

    def __init__(
        self, admission: Admission, log: list[str], name: str = "", deadline: float | None = None
    ) -> None:
        self.go = asyncio.Event()
        self.inside = False
        self.task = asyncio.ensure_future(self._visit(admission, log, name, deadline))

    async def _visit(
        self, admission: Admission, log: list[str], name: str, deadline: float | None
    ) -> None:
        async with admission.permit(deadline):
            log.append(name)
            self.inside = True
            await self.go.wait()

    async def leave(self) -> None:
        self.go.set()
        await self.task


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
    later = Visitor(admission, log, "later", now + 20)
    none = Visitor(admission, log, "none")
    sooner = Visitor(admission, log, "sooner", now + 10)
    for visitor in (first, sooner, later, none):
        await settle()
        await visitor.leave()
    assert log == ["first", "sooner", "later", "none"]


async def test_past_the_queue_it_is_overloaded() -> None:
    admission, log = Admission(1, 1), list[str]()
    visitors = [Visitor(admission, log) for _ in range(2)]
    await settle()
    with pytest.raises(OverloadedError) as caught:
        async with admission.permit(None):
            pass
    assert 0.1 <= caught.value.retry_after <= 60
    for visitor in visitors:
        await visitor.leave()


async def test_the_hint_follows_recent_durations() -> None:
    clock = iter(range(0, 1000, 10))
    admission = Admission(1, 0, clock=lambda: float(next(clock)))
    async with admission.permit(None):
        pass
    assert admission.retry_after() == 10.0


async def test_a_deadline_passes_in_the_queue() -> None:
    admission, log = Admission(1, 5), list[str]()
    visitor = Visitor(admission, log)
    await settle()
    with pytest.raises(TimeLimitError):
        async with admission.permit(time.monotonic() + 0.01):
            pass
    assert admission.queued == 0
    await visitor.leave()


async def test_a_passed_deadline_is_refused_at_once() -> None:
    with pytest.raises(TimeLimitError):
        async with Admission(1, 5).permit(time.monotonic() - 1):
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
        async with admission.permit(None):
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
        async with admission.permit(None):
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
                visitors.append(Visitor(admission, [], "", deadline))
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
    async with admission.permit(None):
        assert admission.running == 1
