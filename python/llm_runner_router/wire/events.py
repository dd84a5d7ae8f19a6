"""What an answer consists of: stream events, whole responses, metrics and log-probabilities."""

from __future__ import annotations

from llm_runner_router.errors import EngineError
from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    Response,
    Started,
)
from llm_runner_router.v1 import router_pb2, types_pb2
from llm_runner_router.wire.attempts import attempt_to_wire, attempts_from_wire
from llm_runner_router.wire.decisions import (
    cache_state_from_wire,
    cache_state_to_wire,
    decision_from_wire,
    decision_to_wire,
)
from llm_runner_router.wire.measures import (
    logprob_to_wire,
    logprobs_from_wire,
    metrics_from_wire,
    metrics_to_wire,
)
from llm_runner_router.wire.tools import (
    calls_from_wire,
    calls_to_wire,
    delta_to_wire,
    deltas_from_wire,
)

FINISH_REASONS = {
    types_pb2.FINISH_REASON_STOP: FinishReason.STOP,
    types_pb2.FINISH_REASON_LENGTH: FinishReason.LENGTH,
    types_pb2.FINISH_REASON_CANCELLED: FinishReason.CANCELLED,
    types_pb2.FINISH_REASON_TOOL_CALLS: FinishReason.TOOL_CALLS,
    types_pb2.FINISH_REASON_CONTENT_FILTER: FinishReason.CONTENT_FILTER,
}
FINISH_NUMBERS = {reason: number for number, reason in FINISH_REASONS.items()}


def event_to_wire(event: Event) -> router_pb2.ProcessStreamResponse:
    """One message of a stream."""
    if isinstance(event, Chunk):
        return router_pb2.ProcessStreamResponse(chunk=chunk_to_wire(event))
    if isinstance(event, Started):
        return router_pb2.ProcessStreamResponse(started=started_to_wire(event))
    return router_pb2.ProcessStreamResponse(complete=complete_to_wire(event))


def event_from_wire(
    message: router_pb2.ProcessStreamResponse | router_pb2.ConverseResponse,
) -> Event | None:
    """The event in a message of a stream; ``None`` for one that this version does not know."""
    kind = message.WhichOneof("event")
    if kind == "chunk":
        return chunk_from_wire(message.chunk)
    if kind == "started":
        return started_from_wire(message.started)
    if kind == "complete":
        return complete_from_wire(message.complete)
    return None


def started_to_wire(event: Started) -> router_pb2.Started:
    """The first event of an answer."""
    return router_pb2.Started(
        request_id=event.request_id,
        model=event.model,
        prompt_logprobs=map(logprob_to_wire, event.prompt_logprobs),
        decision=decision_to_wire(event.decision),
        answer_id=event.answer_id,
    )


def started_from_wire(message: router_pb2.Started) -> Started:
    """The first event of an answer."""
    return Started(
        request_id=message.request_id,
        model=message.model,
        prompt_logprobs=logprobs_from_wire(message.prompt_logprobs),
        decision=decision_from_wire(message.decision) if message.HasField("decision") else None,
        answer_id=message.answer_id,
    )


def chunk_to_wire(event: Chunk) -> router_pb2.Chunk:
    """A piece of an answer."""
    return router_pb2.Chunk(
        text=event.text,
        token_ids=event.token_ids,
        logprobs=map(logprob_to_wire, event.logprobs),
        sequence=event.sequence,
        tool_calls=map(delta_to_wire, event.tool_calls),
    )


def chunk_from_wire(message: router_pb2.Chunk) -> Chunk:
    """A piece of an answer."""
    return Chunk(
        text=message.text,
        token_ids=tuple(message.token_ids),
        sequence=message.sequence,
        logprobs=logprobs_from_wire(message.logprobs),
        tool_calls=deltas_from_wire(message.tool_calls),
    )


def complete_to_wire(event: Complete) -> router_pb2.Complete:
    """The last event of an answer."""
    return router_pb2.Complete(
        finish_reason=FINISH_NUMBERS[event.finish_reason],
        model_used=event.model_used,
        metrics=metrics_to_wire(event.metrics),
        attempts=map(attempt_to_wire, event.attempts),
        cache=cache_state_to_wire(event.cache),
    )


def complete_from_wire(message: router_pb2.Complete) -> Complete:
    """The last event of an answer."""
    return Complete(
        finish_reason=finish_reason_from_wire(message.finish_reason),
        model_used=message.model_used,
        metrics=metrics_from_wire(message.metrics),
        attempts=attempts_from_wire(message.attempts),
        cache=cache_state_from_wire(message.cache),
    )


def response_to_wire(response: Response) -> router_pb2.ProcessResponse:
    """A whole answer."""
    return router_pb2.ProcessResponse(
        response=response.response,
        model_used=response.model_used,
        finish_reason=FINISH_NUMBERS[response.finish_reason],
        metrics=metrics_to_wire(response.metrics),
        logprobs=map(logprob_to_wire, response.logprobs),
        prompt_logprobs=map(logprob_to_wire, response.prompt_logprobs),
        token_ids=response.token_ids,
        request_id=response.request_id,
        tool_calls=calls_to_wire(response.tool_calls, "tool_calls"),
        decision=decision_to_wire(response.decision),
        attempts=map(attempt_to_wire, response.attempts),
        cache=cache_state_to_wire(response.cache),
    )


def response_from_wire(message: router_pb2.ProcessResponse) -> Response:
    """A whole answer."""
    return Response(
        request_id=message.request_id,
        response=message.response,
        model_used=message.model_used,
        finish_reason=finish_reason_from_wire(message.finish_reason),
        metrics=metrics_from_wire(message.metrics),
        token_ids=tuple(message.token_ids),
        logprobs=logprobs_from_wire(message.logprobs),
        prompt_logprobs=logprobs_from_wire(message.prompt_logprobs),
        tool_calls=calls_from_wire(message.tool_calls),
        decision=decision_from_wire(message.decision) if message.HasField("decision") else None,
        attempts=attempts_from_wire(message.attempts),
        cache=cache_state_from_wire(message.cache),
    )


def finish_reason_from_wire(number: types_pb2.FinishReason) -> FinishReason:
    """The reason with this number; a peer of a later version may send one unknown here."""
    reason = FINISH_REASONS.get(number)
    if reason is None:
        raise EngineError(f"finish_reason {int(number)} is unknown to this version of the client")
    return reason
