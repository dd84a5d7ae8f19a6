"""The values that travel along the path of a request.

Plain frozen data without protobuf: the server converts to and from the wire, everything
below it speaks these types. Optional sampling fields are ``None`` where the caller said
nothing, because zero is a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who says a message of a conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class FinishReason(StrEnum):
    """Why an answer ended. Failures are exceptions, not finish reasons."""

    STOP = "stop"  # an end-of-generation token or a stop string
    LENGTH = "length"  # max_tokens, or the context is full
    CANCELLED = "cancelled"


class ModelFormat(StrEnum):
    """How a model's weights are reached."""

    GGUF = "gguf"
    HF = "hf"
    API = "api"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One unit of work: exactly one of ``prompt`` and ``messages`` is given.

    ``prompt`` is one user message rendered with the model's chat template where it has one;
    ``raw`` sends it untouched. ``logprobs`` and ``prompt_logprobs`` say how many alternatives
    are wanted beside the token itself: 0 means that token only, ``None`` none at all.
    """

    prompt: str | None = None
    raw: bool = False
    messages: Sequence[Message] = ()
    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: Sequence[str] = ()
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    ignore_eos: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TopLogprob:
    """An alternative at one position. ``logprob`` is natural and of the raw distribution."""

    token_id: int
    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token with its log-probability before bias and penalties.

    ``logprob`` is ``None`` for the first token of a prompt, which nothing predicts.
    """

    token_id: int
    token: str
    logprob: float | None
    top: Sequence[TopLogprob] = ()


@dataclass(frozen=True, slots=True)
class Metrics:
    """What an answer took: tokens, milliseconds and US dollars.

    ``prompt_tokens`` counts the whole prompt; ``cached_tokens`` of them were not computed again.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    duration_ms: float = 0.0
    queue_ms: float = 0.0
    first_token_ms: float = 0.0
    cost_usd: float = 0.0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Started:
    """First event of a stream: the request was accepted and its model chosen."""

    request_id: str
    model: str
    prompt_logprobs: Sequence[TokenLogprob] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the answer. ``sequence`` counts the chunks of one answer from 0.

    ``text`` may lag behind ``token_ids`` while a character or a stop string is incomplete.
    """

    text: str
    token_ids: Sequence[int]
    sequence: int
    logprobs: Sequence[TokenLogprob] = ()


@dataclass(frozen=True, slots=True)
class Complete:
    """Last event of a stream that did not fail."""

    finish_reason: FinishReason
    model_used: str
    metrics: Metrics


Event = Started | Chunk | Complete


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer: the events of its stream folded together."""

    request_id: str
    response: str
    model_used: str
    finish_reason: FinishReason
    metrics: Metrics
    token_ids: Sequence[int] = ()
    logprobs: Sequence[TokenLogprob] = ()
    prompt_logprobs: Sequence[TokenLogprob] = ()


@dataclass(frozen=True, slots=True)
class HealthReport:
    """``ready`` says whether new requests are taken; ``models`` which of them are in memory."""

    ready: bool
    draining: bool
    models: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """What the service does now."""

    healthy: bool
    version: str
    uptime_seconds: float
    running_requests: int
    queued_requests: int
    loaded_models: Sequence[str]
    registered_models: int
