"""A stream of events becomes one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.decision import Attempt, CacheState, Decision
from llm_runner_router.errors import EngineError
from llm_runner_router.folding import fold, folded_calls
from llm_runner_router.tools import ToolCall, ToolCallDelta
from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    Metrics,
    Response,
    Started,
    TokenLogprob,
)


async def stream(events: Sequence[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def test_everything_of_the_stream_is_in_the_answer() -> None:
    logprob, decision = TokenLogprob(1, "a", -1.0), Decision("m", "balanced")
    attempts = (Attempt("n", "openai", "RATE_LIMITED"), Attempt("m", "local"))
    events = [
        Started("id", "m", (logprob,), decision),
        Chunk("a", (1,), 0, (logprob,)),
        Chunk("b", (2, 3), 1, (), (ToolCallDelta(0, "c", "f", "{"),)),
        Chunk("", (), 2, (), (ToolCallDelta(0, arguments="}"),)),
        Complete(FinishReason.TOOL_CALLS, "m", Metrics(1, 3), attempts, CacheState.MISS),
    ]
    assert await fold(stream(events)) == Response(
        "id",
        "ab",
        "m",
        FinishReason.TOOL_CALLS,
        Metrics(1, 3),
        (1, 2, 3),
        (logprob,),
        (logprob,),
        (ToolCall("c", "f", "{}"),),
        decision,
        attempts,
        CacheState.MISS,
    )


async def test_a_stream_without_an_end_is_an_error() -> None:
    with pytest.raises(EngineError):
        await fold(stream([Started("id", "m"), Chunk("a", (), 0)]))


@given(st.lists(st.text(max_size=6), max_size=4), st.data())
def test_calls_are_whole_however_their_pieces_are_mixed(
    arguments: list[str], data: st.DataObject
) -> None:
    pieces = {
        index: [
            ToolCallDelta(index, f"id {index}", "f"),
            *(ToolCallDelta(index, arguments=c) for c in text),
        ]
        for index, text in enumerate(arguments)
    }
    mixed = []
    while any(pieces.values()):
        index = data.draw(st.sampled_from([index for index, left in pieces.items() if left]))
        mixed.append(pieces[index].pop(0))
    assert folded_calls(mixed) == tuple(
        ToolCall(f"id {index}", "f", text) for index, text in enumerate(arguments)
    )
