"""The guide's table "Response Format Changes", backwards."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from llm_runner_router import Chunk, Complete, FinishReason, Metrics, Response, UnavailableError
from llm_runner_router.compat.v1_0 import old_events, old_response
from llm_runner_router.types import Event, Started
from unit.echoes import collect

METRICS = Metrics(
    prompt_tokens=10, completion_tokens=20, cached_tokens=4, duration_ms=1234, cost_usd=0.001
)
USAGE = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}


def test_an_answer_in_the_old_shape() -> None:
    response = Response("r", "Generated text", "model-id", FinishReason.STOP, METRICS)
    assert old_response(response) == {
        "text": "Generated text",
        "model": "model-id",
        "usage": USAGE,
    }


class Stream:
    """Events of an answer; ``closed`` once nobody wants more."""

    def __init__(self, *, broken: bool = False) -> None:
        self.closed = False
        self._broken = broken

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            yield Started("r", "model-id")
            yield Chunk("Generated", (1,), 0)
            yield Chunk("", (2,), 1)
            if self._broken:
                raise UnavailableError("gone")
            yield Chunk(" text", (3,), 2)
            yield Complete(FinishReason.STOP, "model-id", METRICS)
        finally:
            self.closed = True


async def test_chunk_is_token_and_complete_is_end() -> None:
    assert await collect(old_events(Stream().events())) == [
        {"event": "token", "token": "Generated"},
        {"event": "token", "token": " text"},
        {"event": "end", "text": "Generated text", "model": "model-id", "usage": USAGE},
    ]


async def test_closing_early_closes_what_is_behind() -> None:
    stream = Stream()
    events = old_events(stream.events())
    assert await anext(events) == {"event": "token", "token": "Generated"}
    assert not stream.closed
    await events.aclose()
    assert stream.closed


async def test_errors_are_passed_on() -> None:
    stream = Stream(broken=True)
    with pytest.raises(UnavailableError):
        await collect(old_events(stream.events()))
    assert stream.closed
