"""Many requests over flaky providers: nothing is lost, nothing leaks, every cent is booked.

``make soak`` sends 20 000 of them; the suite fewer.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from integration.routed_service import RoutedService, record_of, routed
from integration.upstreams.faults import (
    NO_FAULT,
    Fault,
    FaultKind,
    cut,
    ended,
    malformed,
    reset,
    stall,
    status,
)
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.backend import CallContext
from llm_runner_router.decision import Attempt
from llm_runner_router.errors import RouterError
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.types import Chunk, Complete, Request, Response

REQUESTS = int(os.environ.get("LLMR_SOAK_REQUESTS", "600"))
AT_ONCE = 32
PROVIDERS = 5

CONFIG = {
    "performance": {"maxConcurrent": 100, "maxQueue": 1000, "timeout": 3000},
    "routing": {"retryBackoff": 1, "breakerCooldown": 0.1, "maxAttempts": 4},
    "cache": {"enabled": False},
}

FOUR = "four"
"""Four characters: one token of the server's, and one by the router's estimate."""

WHOLE_ANSWER = 13_000_000
"""Picodollars for five tokens read and four written."""

# Faults that leave no doubt about what was delivered: a cut after a chunk may take it along.
FAULTS: list[tuple[int, Fault]] = [
    (70, NO_FAULT),
    (4, reset()),
    (5, status(429, "0")),
    (6, status(500)),
    (4, cut()),
    (3, ended()),
    (3, ended(2)),
    (3, malformed()),
    (2, malformed(1)),
    (1, stall(1)),
]


class Flaky(OpenAIServer):
    """Draws a fault for each request."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.words = [FOUR] * 4
        self.chance = random.Random(seed)
        self.stalls = 0

    def next_fault(self) -> Fault:
        weights, faults = zip(*FAULTS, strict=True)
        fault = self.chance.choices(faults, weights)[0]
        self.stalls += fault.kind is FaultKind.STALL
        return fault


@dataclass
class Outcomes:
    """What became of the requests."""

    answered: int = 0
    left: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Count the attempts of a request."""
        self.attempts.update(attempt.outcome for attempt in attempts)

    @property
    def all(self) -> int:
        return self.answered + self.left + self.failed.total()


async def ask(service: RoutedService, number: int, outcomes: Outcomes) -> None:
    """One request; every twentieth client leaves after the first chunk."""
    caller = CallContext(f"caller-{number % 7}")
    leaves = number % 20 == 0
    request = Request(prompt="a question of 20 ch.", model="left" if leaves else "all")
    try:
        if leaves:
            await leave(service, request, caller)
            outcomes.left += 1
        elif number % 2:
            answer: Response = await service.client.process(request, caller)
            assert answer.response == FOUR * 4
            outcomes.add(answer.attempts)
            outcomes.answered += 1
        else:
            outcomes.add(await read(service, request, caller))
            outcomes.answered += 1
    except RouterError as error:
        outcomes.add(error.attempts)
        outcomes.failed[error.reason] += 1


async def read(service: RoutedService, request: Request, caller: CallContext) -> Sequence[Attempt]:
    """A stream is whole and in order, whatever happened before its first chunk."""
    text, sequences, complete = "", [], None
    async for event in service.client.process_stream(request, caller):
        assert complete is None
        complete = event if isinstance(event, Complete) else None
        if isinstance(event, Chunk):
            text += event.text
            sequences.append(event.sequence)
    assert complete is not None
    assert text == FOUR * 4
    assert sequences == list(range(len(sequences)))
    return complete.attempts


async def leave(service: RoutedService, request: Request, caller: CallContext) -> None:
    stream = service.client.process_stream(request, caller)
    async for event in stream:
        if isinstance(event, Chunk):
            break
    await stream.aclose()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_leaked_or_unpaid() -> None:
    before = len(asyncio.all_tasks())
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Flaky(n).running()) for n in range(PROVIDERS)]
        left = await stack.enter_async_context(OpenAIServer().running())
        upstreams = {f"p{n}": server for n, server in enumerate(servers)}
        async with routed(upstreams, CONFIG) as service:
            await service.alias("all", list(upstreams), strategy=Strategy.LEAST_LOADED)
            await service.client.register_model(record_of("left", left))
            outcomes = await flood(service)
            assert outcomes.all == REQUESTS
            assert outcomes.answered > 0.8 * REQUESTS
            status_now = await service.client.get_status()
            assert (status_now.running_requests, status_now.queued_requests) == (0, 0)
            await check_costs(service, servers, outcomes)
            for server in (*servers, left):
                await server.until(lambda server: server.streaming == 0)
            loads = service.runtime._parts.stages.attempts._means.loads
            assert all(loads.outstanding(model) == 0 for model in (*upstreams, "left"))
    assert len(asyncio.all_tasks()) <= before


async def flood(service: RoutedService) -> Outcomes:
    """All requests, AT_ONCE of them at a time."""
    outcomes, numbers = Outcomes(), iter(range(REQUESTS))

    async def client() -> None:
        for number in numbers:
            await ask(service, number, outcomes)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(client())
    return outcomes


async def check_costs(service: RoutedService, servers: list[Flaky], outcomes: Outcomes) -> None:
    """What is booked is what the providers served, to the picodollar.

    Where the machine is too slow for the time limit, chunks are under way when it passes: an
    attempt that ends so without a stall may have been served what nobody read.
    """
    rows = await service.client.get_usage(UsageQuery())
    booked = sum(round(row.cost_usd * 1e12) for row in rows if row.model != "left")
    served = sum(round(server.cost_usd * 1e12) for server in servers)
    late = outcomes.attempts["TIME_LIMIT"] - sum(server.stalls for server in servers)
    assert 0 <= served - booked <= late * WHOLE_ANSWER
