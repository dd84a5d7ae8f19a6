"""What an answer consists of: stream events, whole responses, metrics and log-probabilities."""

from __future__ import annotations

from collections.abc import Iterable

from llm_runner_router.errors import EngineError
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
from llm_runner_router.v1 import router_pb2, types_pb2

FINISH_REASONS = {
    types_pb2.FINISH_REASON_STOP: FinishReason.STOP,
    types_pb2.FINISH_REASON_LENGTH: FinishReason.LENGTH,
    types_pb2.FINISH_REASON_CANCELLED: FinishReason.CANCELLED,
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
    )


def started_from_wire(message: router_pb2.Started) -> Started:
    """The first event of an answer."""
    prompt_logprobs = logprobs_from_wire(message.prompt_logprobs)
    return Started(message.request_id, message.model, prompt_logprobs)


def chunk_to_wire(event: Chunk) -> router_pb2.Chunk:
    """A piece of an answer."""
    return router_pb2.Chunk(
        text=event.text,
        token_ids=event.token_ids,
        logprobs=map(logprob_to_wire, event.logprobs),
        sequence=event.sequence,
    )


def chunk_from_wire(message: router_pb2.Chunk) -> Chunk:
    """A piece of an answer."""
    logprobs = logprobs_from_wire(message.logprobs)
    return Chunk(message.text, tuple(message.token_ids), message.sequence, logprobs)


def complete_to_wire(event: Complete) -> router_pb2.Complete:
    """The last event of an answer."""
    return router_pb2.Complete(
        finish_reason=FINISH_NUMBERS[event.finish_reason],
        model_used=event.model_used,
        metrics=metrics_to_wire(event.metrics),
    )


def complete_from_wire(message: router_pb2.Complete) -> Complete:
    """The last event of an answer."""
    reason = finish_reason_from_wire(message.finish_reason)
    return Complete(reason, message.model_used, metrics_from_wire(message.metrics))


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
    )


def finish_reason_from_wire(number: types_pb2.FinishReason) -> FinishReason:
    """The reason with this number; a peer of a later version may send one unknown here."""
    reason = FINISH_REASONS.get(number)
    if reason is None:
        raise EngineError(f"finish_reason {int(number)} is unknown to this version of the client")
    return reason


def metrics_to_wire(metrics: Metrics) -> types_pb2.Metrics:
    """What an answer took."""
    return types_pb2.Metrics(
        prompt_tokens=metrics.prompt_tokens,
        completion_tokens=metrics.completion_tokens,
        total_tokens=metrics.total_tokens,
        cached_tokens=metrics.cached_tokens,
        duration_ms=metrics.duration_ms,
        queue_ms=metrics.queue_ms,
        first_token_ms=metrics.first_token_ms,
        cost_usd=metrics.cost_usd,
    )


def metrics_from_wire(message: types_pb2.Metrics) -> Metrics:
    """What an answer took."""
    return Metrics(
        prompt_tokens=message.prompt_tokens,
        completion_tokens=message.completion_tokens,
        cached_tokens=message.cached_tokens,
        duration_ms=message.duration_ms,
        queue_ms=message.queue_ms,
        first_token_ms=message.first_token_ms,
        cost_usd=message.cost_usd,
    )


def logprob_to_wire(token: TokenLogprob) -> types_pb2.TokenLogprob:
    """A token with its log-probability."""
    return types_pb2.TokenLogprob(
        token_id=token.token_id,
        token=token.token,
        logprob=token.logprob,
        top=[
            types_pb2.TopLogprob(token_id=top.token_id, token=top.token, logprob=top.logprob)
            for top in token.top
        ],
    )


def logprobs_from_wire(messages: Iterable[types_pb2.TokenLogprob]) -> tuple[TokenLogprob, ...]:
    """Tokens with their log-probabilities."""
    return tuple(
        TokenLogprob(
            message.token_id,
            message.token,
            message.logprob if message.HasField("logprob") else None,
            tuple(TopLogprob(top.token_id, top.token, top.logprob) for top in message.top),
        )
        for message in messages
    )
