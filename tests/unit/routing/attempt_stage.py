"""What attempts need of the service, scripted: each model plays its acts one after the other."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from llm_runner_router.config.tree import Config
from llm_runner_router.decision import Decision
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.attempts import Attempts
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.plan import Plan
from llm_runner_router.tally import Tally
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request
from unit.routing.virtual_time import now

Act = Sequence[ProviderEvent | BaseException | float]
"""What a provider does in one call: events, errors and pauses in seconds, in order."""

ACCEPTED = Accepted(metrics=Metrics(prompt_tokens=7))
FINISHED = Finished(FinishReason.STOP, Metrics(prompt_tokens=7, completion_tokens=3))
ANSWER: Act = (ACCEPTED, Delta("one", (1,)), Delta(" two", (2, 3)), FINISHED)


class Player(EchoProvider):
    """Plays its acts in order, the last one again and again."""

    def __init__(self, acts: Sequence[Act]) -> None:
        super().__init__()
        self.acts = list(acts)
        self.playing = 0
        self.released: list[str] = []

    def release(self, request_id: str) -> None:
        assert not self.playing, "released while it runs"
        self.released.append(request_id)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        self.calls.append(call)
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        self.playing += 1
        try:
            for step in act:
                match step:
                    case float():
                        await asyncio.sleep(step)
                    case BaseException():
                        raise step
                    case _:
                        yield step
        finally:
            self.playing -= 1


class Leases:
    """Players by model; ``held`` counts the leases that are out."""

    def __init__(self, players: dict[str, Player]) -> None:
        self.players = players
        self.held: Counter[str] = Counter()
        self.loading: dict[str, float] = {}
        self.broken: dict[str, BaseException] = {}

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Player]:
        await asyncio.sleep(self.loading.get(model, 0.0))
        if model in self.broken:
            raise self.broken[model]
        self.held[model] += 1
        try:
            yield self.players[model]
        finally:
            self.held[model] -= 1


class Loads:
    def __init__(self) -> None:
        self.tokens: Counter[str] = Counter()
        self.seen: list[tuple[str, int]] = []

    @contextmanager
    def carrying(self, model: str, tokens: int) -> Iterator[None]:
        self.seen.append((model, tokens))
        self.tokens[model] += tokens
        try:
            yield
        finally:
            self.tokens[model] -= tokens


class Prices:
    """A dollar a prompt token, ten an answer's."""

    def cost(self, record: ModelRecord, metrics: Metrics) -> float:
        del record
        return metrics.prompt_tokens + 10.0 * metrics.completion_tokens


class FullJitter(random.Random):
    """Draws the upper bound."""

    def uniform(self, a: float, b: float) -> float:
        del a
        return b


@dataclass
class Stage:
    """Attempts over scripted models. Made inside a virtual loop."""

    acts: dict[str, Sequence[Act]]
    config: dict[str, Any] = field(default_factory=dict)
    request: Request = field(default_factory=lambda: Request(prompt="hello world!"))
    deadline: float | None = None
    format: ModelFormat = ModelFormat.GGUF
    hold: bool = False

    def __post_init__(self) -> None:
        checked = Config.checked(self.config)
        self.leases = Leases({model: Player(acts) for model, acts in self.acts.items()})
        self.loads, self.measurements = Loads(), Measurements()
        self.breakers = Breakers(lambda: checked.routing, now)
        self.tally = Tally(now)
        self.attempts = Attempts(
            self.leases,
            self.breakers,
            self.measurements,
            self.loads,
            Prices(),
            lambda: checked,
            clock=now,
            random=FullJitter(),
        )

    @property
    def players(self) -> dict[str, Player]:
        return self.leases.players

    def answer(self) -> AsyncGenerator[ProviderEvent, None]:
        order = [ModelRecord(model, "", self.format, "s") for model in self.acts]
        plan = Plan(Decision(order[0].id), order, prompt_tokens=5)
        call = Call("r", self.request, deadline=self.deadline, hold=self.hold)
        return self.attempts.answer(plan, lambda _: call, self.tally)

    async def events(self) -> list[ProviderEvent]:
        return [event async for event in self.answer()]

    def trace(self) -> list[tuple[str, str]]:
        return [(attempt.model, attempt.outcome) for attempt in self.tally.attempts]

    def open_circuit(self, model: str) -> None:
        """Let ``model`` have failed so often that its circuit is open."""
        while (trial := self.breakers.begin(model)) is not None:
            trial.failed()

    def slow_to_begin(self, model: str, seconds: float) -> None:
        """Let ``model`` have been measured so often that it has a 95th percentile."""
        for _ in range(20):
            self.measurements.observe(
                model, 5, first_token_ms=seconds * 1000.0, token_ms=1.0, failed=False
            )

    def assert_all_released(self) -> None:
        assert not any(self.leases.held.values())
        assert not any(self.loads.tokens.values())
        assert not any(player.playing for player in self.players.values())
