from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.registry.memory.slots import Slots


class Desk:
    """Slots, and who has one at the moment."""

    def __init__(self, **limits: int) -> None:
        self.limits: dict[str, int] = limits
        self.slots = Slots(self.limits.get)
        self.inside: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str, model: str = "m") -> None:
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.ensure_future(self._stay(name, model))
        await self.settle()

    async def _stay(self, name: str, model: str) -> None:
        async with self.slots.slot(model):
            self.inside.append(name)
            try:
                await self.ends[name].wait()
            finally:
                self.inside.remove(name)

    async def go(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_no_more_than_the_limit_and_in_the_order_of_arrival() -> None:
    desk = Desk(m=2)
    await desk.come("a", "b", "c", "d", "e")
    assert desk.inside == ["a", "b"]
    await desk.go("b")
    assert desk.inside == ["a", "c"]
    await desk.go("a", "c")
    assert desk.inside == ["d", "e"]
    await desk.go("d", "e")
    assert len(desk.slots) == 0


async def test_without_a_limit_nobody_waits_and_models_do_not_share() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b", "c", model="other")
    await desk.come("d")
    assert desk.inside == ["a", "b", "c", "d"]
    await desk.go("a", "b", "c", "d")
    assert len(desk.slots) == 0


async def test_who_gives_up_lets_the_others_move_up() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b", "c")
    desk.tasks["b"].cancel()
    await desk.settle()
    assert len(desk.slots._lines["m"].waiting) == 1
    await desk.go("a")
    assert desk.inside == ["c"]
    desk.tasks["c"].cancel()  # while it is inside
    await desk.settle()
    assert len(desk.slots) == 0
    await desk.come("d")
    assert desk.inside == ["d"]
    await desk.go("d")


async def test_who_gives_up_the_moment_its_turn_comes_passes_it_on() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b", "c")
    desk.limits["m"] = 2
    desk.slots.refresh()  # "b" has its turn, but has not run since
    desk.tasks["b"].cancel()
    await desk.settle()
    assert desk.inside == ["a", "c"]
    await desk.go("a", "c")
    assert len(desk.slots) == 0


async def test_all_who_give_up_at_once_leave_nothing() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b", "c")
    for task in desk.tasks.values():
        task.cancel()
    await desk.settle()
    assert desk.inside == []
    assert len(desk.slots) == 0


async def test_a_new_limit_holds_at_once() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b", "c", "d")
    desk.limits["m"] = 3
    desk.slots.refresh()
    await desk.settle()
    assert desk.inside == ["a", "b", "c"]
    desk.limits["m"] = 1
    desk.slots.refresh()
    await desk.go("a", "b")
    assert desk.inside == ["c"]
    del desk.limits["m"]
    await desk.come("e")
    assert sorted(desk.inside) == ["c", "d", "e"]
    await desk.go("c", "d", "e")
    assert len(desk.slots) == 0


async def test_closing_lets_everybody_in() -> None:
    desk = Desk(m=1)
    await desk.come("a", "b")
    desk.slots.close()
    await desk.come("c")
    assert desk.inside == ["a", "b", "c"]
    await desk.go("a", "b", "c")
    assert len(desk.slots) == 0


async def test_a_failure_inside_gives_the_slot_back() -> None:
    slots = Slots(lambda _: 1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with slots.slot("m"):
                raise ZeroDivisionError
    assert len(slots) == 0
