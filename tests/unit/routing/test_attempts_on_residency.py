"""Attempts over the real residency with echo providers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llm_runner_router.config.tree import Config
from llm_runner_router.decision import Decision
from llm_runner_router.errors import EngineError, ModelFileError
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.echo import EchoBehaviour
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.routing.attempts import Attempts
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.loads import Loads
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.plan import Plan
from llm_runner_router.tally import Tally
from llm_runner_router.types import Request
from unit.echoes import EchoLoader, model
from unit.routing.attempt_stage import FullJitter, Prices
from unit.routing.virtual_time import now, virtual

HELLO = Call("r", Request(prompt="hello big world"))


class House:
    """Models a and b, loaded by an echo loader."""

    def __init__(self, loader: EchoLoader) -> None:
        config = Config()
        self.loader = loader
        self.residency = Residency(loader, model)
        self.loads = Loads()
        self.tally = Tally(now)
        self.attempts = Attempts(
            self.residency,
            Breakers(lambda: config.routing, now),
            Measurements(),
            self.loads,
            Prices(),
            lambda: config,
            clock=now,
            random=FullJitter(),
        )

    async def events(self) -> list[ProviderEvent]:
        plan = Plan(Decision("a"), [model("a"), model("b")], 4)
        return [event async for event in self.attempts.answer(plan, lambda _: HELLO, self.tally)]


@asynccontextmanager
async def house(loader: EchoLoader) -> AsyncIterator[House]:
    made = House(loader)
    try:
        yield made
    finally:
        assert not made.residency.busy("a")
        assert not made.residency.busy("b")
        assert not made.loads.busy
        await made.residency.close()


@virtual
async def test_the_model_is_loaded_and_answers() -> None:
    async with house(EchoLoader()) as made:
        events = await made.events()
        kinds = [type(event) for event in events]
        assert kinds == [Accepted, Delta, Delta, Delta, Finished]
        assert made.residency.loaded_models() == ["a"]
        assert made.tally.metrics().total_tokens == 30
        assert made.tally.attempts[0].provider == "local"


@virtual
async def test_a_model_that_cannot_be_loaded_is_not_loaded_twice() -> None:
    loader = EchoLoader()
    loader.failure = ModelFileError("damaged")
    async with house(loader) as made:
        with pytest.raises(ModelFileError):
            await made.events()
        assert loader.loads == 2
        assert [attempt.model for attempt in made.tally.attempts] == ["a", "b"]


@virtual
async def test_a_failure_in_the_middle_ends_the_answer() -> None:
    loader = EchoLoader(EchoBehaviour(failure=EngineError("broken"), fail_after=1))
    async with house(loader) as made:
        with pytest.raises(EngineError):
            await made.events()
        assert [attempt.model for attempt in made.tally.attempts] == ["a"]
        assert made.tally.metrics().completion_tokens == len("hello")


@virtual
async def test_cancelling_while_a_model_is_loaded_abandons_the_load() -> None:
    loader = EchoLoader()
    loader.gate = asyncio.Event()
    async with house(loader) as made:
        task = asyncio.ensure_future(made.events())
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(1.0)
        assert loader.cancelled == 1
        assert made.tally.attempts[0].outcome == "CANCELLED"
