"""A whole answer as it is kept."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from llm_runner_router.decision import CacheState
from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    Metrics,
    Started,
    TokenLogprob,
)

logger = logging.getLogger(__name__)

WHOLE = frozenset({FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS})
"""How an answer that is kept has ended; a cancelled or a filtered one may end otherwise."""

MAX_BYTES = 16 << 20
"""The longest answer that is kept or believed."""

LARGEST = 2**32 - 1
"""Of counts and ids, as on the wire."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """What a model has answered; ``metrics`` are those of the request that was computed."""

    __pydantic_config__: ClassVar = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    model: str
    finish_reason: FinishReason
    metrics: Metrics
    chunks: Sequence[Chunk] = ()
    prompt_logprobs: Sequence[TokenLogprob] = ()

    def events(self, request_id: str, state: CacheState) -> Iterator[Event]:
        """The answer as a stream of another request, free of charge."""
        yield Started(request_id, self.model, self.prompt_logprobs)
        for sequence, chunk in enumerate(self.chunks):
            yield replace(chunk, sequence=sequence)
        yield Complete(self.finish_reason, self.model, free(self.metrics), cache=state)


ADAPTER = TypeAdapter(CachedAnswer)


def free(metrics: Metrics) -> Metrics:
    """The metrics of an answer that was not computed again: its cost was saved, times are open."""
    return replace(
        metrics,
        duration_ms=0.0,
        queue_ms=0.0,
        first_token_ms=0.0,
        cost_usd=0.0,
        saved_cost_usd=metrics.cost_usd,
    )


def encode(answer: CachedAnswer) -> bytes | None:
    """JSON; ``None`` where the answer is too long to be kept."""
    value = ADAPTER.dump_json(answer, exclude_defaults=True)
    return value if len(value) <= MAX_BYTES else None


def decode(value: bytes) -> CachedAnswer | None:
    """What was kept. ``None``, and a line in the log, for anything else: a store may be hostile."""
    try:
        answer = ADAPTER.validate_json(value)
    except ValidationError as error:
        logger.warning("a kept answer is damaged in %d places: ignored", error.error_count())
        return None
    if answer.finish_reason not in WHOLE or not credible(answer):
        logger.warning("a kept answer cannot have been kept by this service: ignored")
        return None
    return answer


def credible(answer: CachedAnswer) -> bool:
    """Whether every count and id fits the wire and the cost is none that somebody would gain by."""
    metrics = answer.metrics
    counts = (
        metrics.prompt_tokens,
        metrics.completion_tokens,
        metrics.cached_tokens,
        metrics.cache_write_tokens,
        metrics.reasoning_tokens,
    )
    numbers = chain(counts, ids(answer))
    return metrics.cost_usd >= 0 and all(0 <= number <= LARGEST for number in numbers)


def ids(answer: CachedAnswer) -> Iterator[int]:
    """Every token id and index of an answer."""
    for chunk in answer.chunks:
        yield from chunk.token_ids
        yield from (call.index for call in chunk.tool_calls)
    for known in chain(answer.prompt_logprobs, *(chunk.logprobs for chunk in answer.chunks)):
        yield known.token_id
        yield from (other.token_id for other in known.top)


@dataclass(slots=True)
class Recording:
    """Collects a stream of events; ``answer`` is set once it has ended whole."""

    answer: CachedAnswer | None = None
    _chunks: list[Chunk] = field(default_factory=list)
    _prompt_logprobs: Sequence[TokenLogprob] = ()

    async def of(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
        """``events`` as they come. ``answer`` is there before the last of them is."""
        async with aclosing(events):
            async for event in events:
                self._note(event)
                yield event

    def _note(self, event: Event) -> None:
        match event:
            case Started():
                self._prompt_logprobs = event.prompt_logprobs
            case Chunk():
                self._chunks.append(event)
            case Complete() if event.finish_reason in WHOLE:
                self.answer = CachedAnswer(
                    event.model_used,
                    event.finish_reason,
                    event.metrics,
                    tuple(self._chunks),
                    tuple(self._prompt_logprobs),
                )
            case Complete():
                self.answer = None
