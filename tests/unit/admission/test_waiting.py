from __future__ import annotations

import asyncio

from llm_runner_router.admission.place import PATIENCE, Place
from llm_runner_router.admission.ticket import Ticket
from llm_runner_router.admission.waiting import Waiting
from llm_runner_router.preferences import Priority


def place(priority: Priority, arrival: float = 0.0, caller: str = "a") -> Place:
    return Place(Ticket(caller, priority), arrival, asyncio.Future())


async def test_the_urgent_go_first_while_all_are_patient() -> None:
    waiting = Waiting()
    low, normal, high = (place(priority) for priority in Priority)
    for each in (low, normal, high):
        waiting.add(each)
    assert [waiting.pop(PATIENCE)[0] for _ in range(3)] == [high, normal, low]
    assert not waiting


async def test_who_has_waited_too_long_counts_as_urgent() -> None:
    waiting = Waiting()
    low, normal = place(Priority.LOW, 0.0), place(Priority.NORMAL, 1.0)
    later, high = place(Priority.NORMAL, 20.0), place(Priority.HIGH, 25.0)
    for each in (low, normal, later, high):
        waiting.add(each)
    now = PATIENCE + 2
    popped = [waiting.pop(now) for _ in range(4)]
    assert [found for found, _ in popped] == [low, normal, high, later]
    urgent, ordinary = waiting.line_of(Priority.HIGH), waiting.line_of(Priority.NORMAL)
    assert [line for _, line in popped] == [urgent, urgent, urgent, ordinary]


async def test_one_that_gives_up_is_gone_from_wherever_it_stood() -> None:
    waiting = Waiting()
    old, other, stays = (place(Priority.LOW, arrival) for arrival in (0.0, 0.5, 1.0))
    for each in (old, other, stays):
        waiting.add(each)
    assert waiting.pop(PATIENCE + 2)[0] is old  # all three have moved up
    waiting.discard(other)
    waiting.discard(other)
    assert len(waiting) == 1
    assert waiting.pop(PATIENCE + 2)[0] is stays
    assert not waiting
    assert not waiting._patient


async def test_one_that_gave_up_while_it_was_patient_does_not_come_back() -> None:
    waiting = Waiting()
    gone, stays = place(Priority.LOW, 0.0), place(Priority.LOW, 1.0)
    waiting.add(gone)
    waiting.add(stays)
    waiting.discard(gone)
    assert waiting.pop(PATIENCE + 2)[0] is stays
    assert not waiting


async def test_all_may_be_let_go_at_once() -> None:
    waiting = Waiting()
    for priority in Priority:
        waiting.add(place(priority))
    waiting.clear()
    assert len(waiting) == 0
    assert not any(waiting.line_of(priority) for priority in Priority)
