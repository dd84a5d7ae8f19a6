from __future__ import annotations

import pytest
from langchain_core.messages import AIMessageChunk

from llm_runner_router.compat.langchain.answers import chunk_of, message_of, result_of
from llm_runner_router.decision import Attempt, CacheState, Decision, ScoredCandidate
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
    TopLogprob,
)

METRICS = Metrics(
    prompt_tokens=10,
    completion_tokens=4,
    cached_tokens=3,
    duration_ms=5.0,
    queue_ms=1.0,
    first_token_ms=2.0,
    cost_usd=0.25,
    cache_write_tokens=2,
    reasoning_tokens=1,
)
DECISION = Decision("a", "balanced", (ScoredCandidate("a", 0.5, {"cost": 0.1}),))
ATTEMPTS = (Attempt("b", "openai", "UNAVAILABLE"), Attempt("a", "openai"))
LOGPROBS = (TokenLogprob(7, "x", -0.5, (TopLogprob(8, "y", -1.0),)),)
TOLD = {
    "content": [{"token": "x", "logprob": -0.5, "top_logprobs": [{"token": "y", "logprob": -1.0}]}]
}


def response(**values: object) -> Response:
    fields = {
        "request_id": "r1",
        "response": "x",
        "model_used": "a",
        "finish_reason": FinishReason.TOOL_CALLS,
        "metrics": METRICS,
        "logprobs": LOGPROBS,
        "decision": DECISION,
        "attempts": ATTEMPTS,
        "cache": CacheState.MISS,
        **values,
    }
    return Response(**fields)


def check(message: AIMessageChunk | object) -> None:
    """What a whole answer and the sum of its pieces say alike."""
    metadata = message.response_metadata
    assert metadata["model_name"] == "a"
    assert metadata["finish_reason"] == "tool_calls"
    assert metadata["cost_usd"] == 0.25
    assert metadata["request_id"] == "r1"
    assert metadata["cache"] == "miss"
    assert metadata["decision"]["candidates"][0]["parts"] == {"cost": 0.1}
    assert [attempt["outcome"] for attempt in metadata["attempts"]] == ["UNAVAILABLE", "OK"]
    assert metadata["timings"] == {"duration_ms": 5.0, "queue_ms": 1.0, "first_token_ms": 2.0}
    assert metadata["logprobs"] == TOLD
    assert message.usage_metadata == {
        "input_tokens": 10,
        "output_tokens": 4,
        "total_tokens": 14,
        "input_token_details": {"cache_read": 3, "cache_creation": 2},
        "output_token_details": {"reasoning": 1},
    }


def test_a_whole_answer() -> None:
    call = ToolCall("c1", "add", '{"a": 1}')
    message = message_of(response(tool_calls=(call,)))
    check(message)
    assert message.content == "x"
    assert message.tool_calls == [
        {"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}
    ]
    assert result_of(response()).llm_output == {"model_name": "a"}


@pytest.mark.parametrize("arguments", ["{", "[1]", "3", "null", "[" * 100_000])
def test_arguments_that_are_no_object_make_an_invalid_call(arguments: str) -> None:
    message = message_of(response(tool_calls=(ToolCall("c1", "add", arguments),)))
    (call,) = message.invalid_tool_calls
    assert (call["name"], call["args"], call["id"]) == ("add", arguments, "c1")
    assert "no JSON object" in str(call["error"])
    assert message.tool_calls == []


def test_no_arguments_are_an_empty_object() -> None:
    message = message_of(response(tool_calls=(ToolCall("c1", "add", ""),)))
    assert message.tool_calls[0]["args"] == {}


def test_pieces_add_up_to_the_whole() -> None:
    events: list[Event] = [
        Started("r1", "a", decision=DECISION, answer_id="r1"),
        Chunk("x", (7,), 0, LOGPROBS),
        Chunk("", (), 1, tool_calls=(ToolCallDelta(0, "c1", "add", '{"a"'),)),
        Chunk("", (), 2, tool_calls=(ToolCallDelta(0, arguments=": 1}"),)),
        Complete(FinishReason.TOOL_CALLS, "a", METRICS, ATTEMPTS, CacheState.MISS),
    ]
    pieces = [chunk_of(event).message for event in events]
    assert all(isinstance(piece, AIMessageChunk) for piece in pieces)
    whole = sum(pieces[1:], start=pieces[0])
    check(whole)
    assert whole.content == "x"
    assert whole.tool_calls == [{"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}]
    assert [piece.chunk_position for piece in pieces] == [None, None, None, None, "last"]
