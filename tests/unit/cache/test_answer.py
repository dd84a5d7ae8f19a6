from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from llm_runner_router.cache import answer as answers
from llm_runner_router.cache.answer import CachedAnswer, Recording, decode, encode
from llm_runner_router.decision import CacheState
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import Chunk, Complete, FinishReason, Metrics, Started
from unit.cache.answers import METRICS, Computation, events
from unit.echoes import collect


async def recorded(reason: FinishReason = FinishReason.STOP) -> CachedAnswer | None:
    recording = Recording()
    await collect(recording.of(Computation(events("ab", reason))()))
    return recording.answer


def kept(**changes: Any) -> bytes:
    """An answer as it is kept, with some of its parts replaced."""
    answer = {
        "model": "m",
        "finish_reason": "stop",
        "metrics": {"cost_usd": 1.0},
        "chunks": [{"text": "a", "token_ids": [1], "sequence": 0}],
    }
    return json.dumps({**answer, **changes}).encode()


@pytest.mark.parametrize(
    "reason", [FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS]
)
async def test_a_whole_answer_is_recorded(reason: str) -> None:
    answer = await recorded(FinishReason(reason))
    assert answer is not None
    assert (answer.finish_reason, answer.metrics, len(answer.chunks)) == (reason, METRICS, 2)


@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.CONTENT_FILTER])
async def test_any_other_is_not(reason: FinishReason) -> None:
    assert await recorded(reason) is None


async def test_one_that_breaks_off_is_not() -> None:
    recording = Recording()
    await collect(recording.of(Computation(events()[:-1])()))
    assert recording.answer is None


async def test_the_answer_is_there_before_the_last_event() -> None:
    recording = Recording()
    there = [recording.answer is not None async for _ in recording.of(Computation(events("a"))())]
    assert there == [False, False, True]


async def test_what_is_kept_comes_back_as_a_stream_of_another_request() -> None:
    answer = await recorded()
    assert answer is not None
    value = encode(answer)
    assert value is not None
    again = decode(value)
    assert again is not None
    started, *chunks, complete = again.events("mine", CacheState.HIT)
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    assert (started.request_id, started.model, started.decision) == ("mine", "m", None)
    assert [(known.token_id, known.top[0].logprob) for known in started.prompt_logprobs] == [
        (7, -0.5)
    ]
    assert [chunk.text for chunk in chunks if isinstance(chunk, Chunk)] == ["a", "b"]
    assert complete == Complete(
        FinishReason.STOP,
        "m",
        Metrics(prompt_tokens=3, completion_tokens=2, saved_cost_usd=0.25),
        cache=CacheState.HIT,
    )


def test_chunks_are_numbered_anew() -> None:
    call = ToolCallDelta(0, "id", "f", "{}")
    chunks = (Chunk("a", (1,), 5), Chunk("", (2,), 9, tool_calls=(call,)))
    answer = CachedAnswer("m", FinishReason.TOOL_CALLS, METRICS, chunks)
    replayed = [event for event in answer.events("r", CacheState.HIT) if isinstance(event, Chunk)]
    assert [chunk.sequence for chunk in replayed] == [0, 1]
    assert replayed[1].tool_calls == (call,)


def test_an_answer_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = CachedAnswer("m", FinishReason.STOP, METRICS, (Chunk("a" * 200, (1,), 0),))
    assert encode(answer) is not None
    monkeypatch.setattr(answers, "MAX_BYTES", 200)
    assert encode(answer) is None


def test_the_sample_of_the_next_test_is_believed() -> None:
    assert decode(kept()) is not None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\x00",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        kept()[:-1],
        kept(model=None),
        kept(model=["m"]),
        kept(extra=1),
        kept(finish_reason="cancelled"),
        kept(finish_reason="whatever"),
        kept(metrics={"cost_usd": -1.0}),
        kept(metrics={"cost_usd": float("nan")}),
        kept(metrics={"cost_usd": float("inf")}),
        kept(metrics={"prompt_tokens": -1}),
        kept(metrics={"completion_tokens": 2**32}),
        kept(metrics={"prompt_tokens": 1.5}),
        kept(chunks=[{"text": "a", "token_ids": [-1], "sequence": 0}]),
        kept(chunks=[{"text": "a", "token_ids": [2**40], "sequence": 0}]),
        kept(chunks=[{"text": "a", "token_ids": "1", "sequence": 0}]),
        kept(chunks=[{"text": 1, "token_ids": [1], "sequence": 0}]),
        kept(chunks=[{"text": "", "token_ids": [], "sequence": 0, "tool_calls": [{"index": -1}]}]),
        kept(chunks=[{"text": "a"}]),
        kept(prompt_logprobs=[{"token_id": -1, "token": "a", "logprob": 0.0}]),
        kept(
            prompt_logprobs=[
                {
                    "token_id": 1,
                    "token": "a",
                    "logprob": 0.0,
                    "top": [{"token_id": -1, "token": "a", "logprob": 0.0}],
                }
            ]
        ),
        kept().replace(b'"a"', b'"\\ud800"'),
    ],
)
def test_whatever_else_lies_there_is_a_miss_and_is_logged(
    value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert decode(value) is None
    assert "ignored" in caplog.text
