from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.admission import line as line_module
from llm_runner_router.admission.line import Line
from llm_runner_router.admission.place import PATIENCE, Place
from llm_runner_router.admission.ticket import Ticket


def place(
    caller: str = "a", arrival: float = 0.0, deadline: float | None = None, tokens: int = 1
) -> Place:
    return Place(Ticket(caller, deadline=deadline, tokens=tokens), arrival, asyncio.Future())


def serve(line: Line) -> Place:
    """Let the next one through."""
    found = line.pop()
    line.charge(found.ticket.caller, found.ticket.tokens)
    return found


async def test_within_a_caller_the_earliest_due_is_first() -> None:
    line = Line()
    places = [
        place(arrival=0.0),  # due when its patience ends
        place(arrival=1.0, deadline=1000.0),  # so is this one, a second later
        place(arrival=2.0, deadline=PATIENCE - 1),
        place(arrival=3.0),
        place(arrival=4.0, deadline=5.0),
    ]
    for each in places:
        line.push(each)
    assert [places.index(line.pop()) for _ in places] == [4, 2, 0, 1, 3]
    assert not line


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=60),
    st.lists(st.integers(1, 50), min_size=1, max_size=60),
    st.sampled_from([1.0, 2.0, 0.5]),
)
async def test_two_that_always_wait_are_served_alike_to_within_one_request(
    ones: list[int], others: list[int], share: float
) -> None:
    line, served = Line(), {"a": 0.0, "b": 0.0}
    shares = {"a": 1.0, "b": share}
    for tokens in ones:
        line.push(place("a", tokens=tokens))
    for tokens in others:
        line.push(place("b", tokens=tokens))
    largest = max(*ones, *others) / min(shares.values())
    left = {"a": len(ones), "b": len(others)}
    while all(left.values()):
        ticket = line.pop().ticket
        amount = ticket.tokens / shares[ticket.caller]
        line.charge(ticket.caller, amount)
        served[ticket.caller] += amount
        left[ticket.caller] -= 1
        assert abs(served["a"] - served["b"]) <= largest


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 9)), max_size=80), st.data())
async def test_whoever_comes_and_goes_the_first_has_had_the_least(
    arrivals: list[tuple[str, int]], data: st.DataObject
) -> None:
    line, waiting = Line(), list[Place]()
    for caller, tokens in arrivals:
        step = data.draw(st.sampled_from(["push", "pop", "discard"]))
        if step == "push" or not waiting:
            waiting.append(place(caller, tokens=tokens))
            line.push(waiting[-1])
        elif step == "discard":
            line.discard(waiting.pop(data.draw(st.integers(0, len(waiting) - 1))))
        else:
            least = min(line.served(each.ticket.caller) for each in waiting)
            found = line.pop()
            assert line.served(found.ticket.caller) == least
            line.charge(found.ticket.caller, found.ticket.tokens)
            waiting.remove(found)
        assert bool(line) == bool(waiting)


async def test_idling_earns_nothing() -> None:
    line = Line()
    for caller in ("idle", "busy"):
        line.push(place(caller))
        serve(line)
    for _ in range(100):
        line.push(place("busy", tokens=10))
    for _ in range(50):
        serve(line)
    for _ in range(10):
        line.push(place("idle", tokens=10))
    callers = [serve(line).ticket.caller for _ in range(10)]
    assert abs(callers.count("idle") - callers.count("busy")) <= 1


async def test_nor_does_it_earn_anything_where_nobody_waited() -> None:
    line = Line()
    for _ in range(50):
        line.pass_by("busy")
        line.charge("busy", 10)
    for caller in ("busy", "idle"):
        for _ in range(5):
            line.push(place(caller, tokens=10))
    callers = [serve(line).ticket.caller for _ in range(8)]
    assert abs(callers.count("idle") - callers.count("busy")) <= 2


async def test_one_that_gives_up_is_not_served_and_may_give_up_twice() -> None:
    line, gone, stays = Line(), place("a"), place("b")
    line.push(gone)
    line.push(stays)
    line.discard(gone)
    line.discard(gone)
    assert line.pop() is stays
    assert not line


async def test_however_many_callers_come_few_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_module, "REMEMBERED", 10)
    line = Line()
    line.push(place("waits", tokens=5))
    line.charge("waits", 5)
    for number in range(1000):
        leaves = place(f"leaves {number}")
        line.push(leaves)
        line.discard(leaves)
        line.charge(f"served {number}", 1)
        line.pass_by(f"passes {number}")
    assert line.remembered <= 10
    assert line.pop().ticket.caller == "waits"
    assert not line
