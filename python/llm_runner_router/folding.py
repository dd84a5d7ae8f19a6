"""A stream of events folded into one answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from llm_runner_router.errors import EngineError
from llm_runner_router.tools import ToolCall, ToolCallDelta
from llm_runner_router.types import Chunk, Complete, Event, Response, Started


async def fold(events: AsyncIterator[Event]) -> Response:
    """The whole answer; errors of the stream are passed on."""
    started = Started("", "")
    chunks: list[Chunk] = []
    async for event in events:
        match event:
            case Started():
                started = event
            case Chunk():
                chunks.append(event)
            case Complete():
                return whole(started, chunks, event)
    raise EngineError("the answer ended without a result")


def whole(started: Started, chunks: list[Chunk], complete: Complete) -> Response:
    """The parts of an answer put together."""
    return Response(
        request_id=started.request_id,
        response="".join(chunk.text for chunk in chunks),
        model_used=complete.model_used,
        finish_reason=complete.finish_reason,
        metrics=complete.metrics,
        token_ids=tuple(token for chunk in chunks for token in chunk.token_ids),
        logprobs=tuple(logprob for chunk in chunks for logprob in chunk.logprobs),
        prompt_logprobs=tuple(started.prompt_logprobs),
        tool_calls=folded_calls(delta for chunk in chunks for delta in chunk.tool_calls),
        decision=started.decision,
        attempts=complete.attempts,
        cache=complete.cache,
    )


def folded_calls(deltas: Iterable[ToolCallDelta]) -> tuple[ToolCall, ...]:
    """Calls out of their pieces, in the order of their indexes."""
    calls: dict[int, ToolCall] = {}
    for delta in deltas:
        begun = calls.get(delta.index, ToolCall("", "", ""))
        calls[delta.index] = ToolCall(
            id=begun.id or delta.id,
            name=begun.name or delta.name,
            arguments=begun.arguments + delta.arguments,
        )
    return tuple(calls[index] for index in sorted(calls))
