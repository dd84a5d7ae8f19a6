"""What is measured of an answer: metrics and log-probabilities."""

from __future__ import annotations

from collections.abc import Iterable

from llm_runner_router.types import Metrics, TokenLogprob, TopLogprob
from llm_runner_router.v1 import types_pb2


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
        cache_write_tokens=metrics.cache_write_tokens,
        reasoning_tokens=metrics.reasoning_tokens,
        saved_cost_usd=metrics.saved_cost_usd,
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
        cache_write_tokens=message.cache_write_tokens,
        reasoning_tokens=message.reasoning_tokens,
        saved_cost_usd=message.saved_cost_usd,
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
