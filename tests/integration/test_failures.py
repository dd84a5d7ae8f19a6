"""Providers that fail, as a client sees them: the status, the attempts and the cost of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
import pytest_asyncio

from integration.routed_service import RoutedService, routed
from integration.upstreams.faults import (
    Fault,
    FaultKind,
    cut,
    ended,
    malformed,
    reset,
    stall,
    status,
)
from integration.upstreams.openai_server import PROMPT_TOKENS, OpenAIServer
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import (
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.preferences import Routing
from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.types import Chunk, Request
from unit.echoes import leap, until

T = TypeVar("T")

CONFIG = {
    "routing": {"retryBackoff": 1, "breakerFailures": 1000},
    "cache": {"enabled": False},
}
ASK = Request(prompt="a question of 20 ch.", model="a")
WITH_FALLBACK = replace(ASK, routing=Routing(fallbacks=("b",)))
PATIENCE = Config().performance.timeout / 1000
WHOLE = (PROMPT_TOKENS * 1.0 + 3 * 2.0) / 1e6
"""What a whole answer costs at the servers' prices."""


@pytest_asyncio.fixture
async def first() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def second() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def service(first: OpenAIServer, second: OpenAIServer) -> AsyncIterator[RoutedService]:
    async with routed({"a": first, "b": second}, CONFIG) as service:
        yield service


async def outcome(asking: Coroutine[Any, Any, T], fault: Fault, silent: Callable[[], bool]) -> T:
    """What comes of ``asking``; a stall is waited for no longer than until it is ``silent``."""
    task = asyncio.ensure_future(asking)
    if fault.kind is FaultKind.STALL:
        await until(lambda: silent() or task.done())
        await leap(asyncio.get_running_loop().time() + PATIENCE)
    return await task


BEFORE_THE_FIRST_CHUNK = [
    (reset(), "PROVIDER_FAILED"),
    (status(429, "7"), "RATE_LIMITED"),
    (status(500), "PROVIDER_FAILED"),
    (status(503), "PROVIDER_FAILED"),
    (status(401), "PROVIDER_REJECTED"),
    (stall(), "TIME_LIMIT"),
    (cut(), "PROVIDER_FAILED"),
    (ended(), "PROVIDER_FAILED"),
    (malformed(), "PROVIDER_FAILED"),
    (status(400), "INVALID_REQUEST"),
]


@pytest.mark.parametrize(("fault", "word"), BEFORE_THE_FIRST_CHUNK)
async def test_another_model_answers_before_anything_is_visible(
    service: RoutedService, first: OpenAIServer, second: OpenAIServer, fault: Fault, word: str
) -> None:
    first.inject(fault)
    asking = service.client.process(WITH_FALLBACK)
    answer = await outcome(asking, fault, lambda: first.served.requests == 1)
    assert answer.response == "one two three"
    assert answer.model_used == "b"
    trace = [(attempt.model, attempt.outcome) for attempt in answer.attempts]
    assert trace == [("a", word), ("b", "OK")]
    assert answer.metrics.cost_usd == pytest.approx(WHOLE)
    assert second.cost_usd == pytest.approx(WHOLE)


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (reset(), UnavailableError, 3),
        (status(500), ProviderFailedError, 3),
        (status(401), ProviderRejectedError, 1),
        (status(400), InvalidRequestError, 1),
        (stall(), TimeLimitError, 1),
        (malformed(), ProviderFailedError, 3),
    ],
)
async def test_alone_it_is_tried_again_within_the_budget(
    service: RoutedService, first: OpenAIServer, fault: Fault, kind: type[RouterError], tries: int
) -> None:
    first.inject(*[fault] * 5)
    with pytest.raises(kind):
        await outcome(service.client.process(ASK), fault, lambda: first.served.requests == 1)
    assert first.served.requests == tries
    rows = await service.client.get_usage(UsageQuery())
    assert sum(row.cost_usd for row in rows) == 0
    assert sum(row.failures for row in rows) == tries


async def test_a_rate_limit_says_when_to_come_back(
    service: RoutedService, first: OpenAIServer
) -> None:
    first.inject(status(429, "120"))
    with pytest.raises(RateLimitError) as caught:
        await service.client.process(replace(ASK, routing=Routing(max_attempts=1)))
    assert caught.value.retry_after == pytest.approx(120, abs=1)


async def test_a_refused_connection_is_left_for_another_model(
    service: RoutedService, first: OpenAIServer
) -> None:
    await first.refuse()
    answer = await service.client.process(WITH_FALLBACK)
    assert [attempt.outcome for attempt in answer.attempts] == ["UNAVAILABLE", "OK"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (cut(1), ProviderFailedError),
        (ended(1), ProviderFailedError),
        (malformed(1), ProviderFailedError),
        (stall(1), TimeLimitError),
    ],
)
async def test_after_the_first_chunk_nothing_is_replayed(
    service: RoutedService,
    first: OpenAIServer,
    second: OpenAIServer,
    fault: Fault,
    kind: type[RouterError],
) -> None:
    first.words = ("one ", "two ", "six ")
    first.inject(fault)
    heard: list[str] = []

    async def listen() -> None:
        async for event in service.client.process_stream(WITH_FALLBACK):
            heard.extend([event.text] if isinstance(event, Chunk) else [])

    with pytest.raises(kind):
        await outcome(listen(), fault, lambda: heard == ["one "])
    assert heard == ["one "]
    assert (first.served.requests, second.served.requests) == (1, 0)
    rows = await service.client.get_usage(UsageQuery(model="a"))
    assert rows[0].cost_usd == pytest.approx(first.cost_usd)


async def test_an_answer_that_is_left_costs_what_came(
    service: RoutedService, first: OpenAIServer
) -> None:
    first.words = ("one ", "two ", "six ")
    first.inject(stall(2))
    stream = service.client.process_stream(ASK)
    said = ""
    async for event in stream:
        said += event.text if isinstance(event, Chunk) else ""
        if said == "one two ":
            break
    await stream.aclose()
    await first.until(lambda server: server.left == 1)
    assert (await service.client.get_status()).running_requests == 0
    rows = await service.client.get_usage(UsageQuery())
    assert sum(row.cost_usd for row in rows) == pytest.approx(first.cost_usd)
    assert first.cost_usd == pytest.approx((PROMPT_TOKENS + 2 * 2) / 1e6)


async def test_a_circuit_opens_and_its_model_is_left_alone(
    first: OpenAIServer, second: OpenAIServer
) -> None:
    config = {**CONFIG, "routing": {"breakerFailures": 2, "maxAttempts": 1}}
    async with routed({"a": first, "b": second}, config) as service:
        first.inject(status(500), status(500))
        for _ in range(2):
            with pytest.raises(ProviderFailedError):
                await service.client.process(ASK)
        with pytest.raises(UnavailableError) as caught:
            await service.client.process(ASK)
        assert caught.value.reason == "CIRCUIT_OPEN"
        assert first.served.requests == 2
        assert (await service.client.process(replace(ASK, model="all"))).model_used == "b"


async def test_a_hasty_caller_takes_no_model_from_others(
    first: OpenAIServer, second: OpenAIServer
) -> None:
    config = {**CONFIG, "routing": {"breakerFailures": 1}}
    async with routed({"a": first, "b": second}, config) as service:
        first.inject(stall())
        hasty = replace(ASK, routing=Routing(first_token_timeout_ms=1.0))
        with pytest.raises(TimeLimitError):
            await service.client.process(hasty)
        first.faults.clear()  # so short a time may not even have sufficed to reach the server
        assert (await service.client.process(ASK)).model_used == "a"


async def test_who_asks_to_be_left_alone_is_left_to_others(
    service: RoutedService, first: OpenAIServer
) -> None:
    first.inject(status(429, "30"))
    for _ in range(2):
        assert (await service.client.process(WITH_FALLBACK)).model_used == "b"
    assert first.served.requests == 1
    with pytest.raises(RateLimitError, match="left alone") as caught:
        await service.client.process(ASK)
    assert 0 < caught.value.retry_after <= 30
    assert first.served.requests == 1
