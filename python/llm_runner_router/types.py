"""The values that travel along the path of a request.

Plain frozen data without protobuf: the server converts to and from the wire, everything
below it speaks these types. Optional sampling fields are ``None`` where the caller said
nothing, because zero is a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llm_runner_router.decision import Attempt, CacheState, Decision
from llm_runner_router.old.answers import OldAnswerNames
from llm_runner_router.preferences import CacheControl, Priority, Routing, TemplateUse
from llm_runner_router.tools import ResponseFormat, Tool, ToolCall, ToolCallDelta, ToolChoice


class Role(StrEnum):
    """Who says a message of a conversation."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"  # the result of a call that the model asked for


class FinishReason(StrEnum):
    """Why an answer ended. Failures are exceptions, not finish reasons."""

    STOP = "stop"  # an end-of-generation token or a stop string
    LENGTH = "length"  # max_tokens, or the context is full
    CANCELLED = "cancelled"
    TOOL_CALLS = "tool-calls"  # the model asks for its tools to be called
    CONTENT_FILTER = "content-filter"  # the provider withheld the rest


class ModelFormat(StrEnum):
    """How a model's weights are reached."""

    GGUF = "gguf"
    HF = "hf"
    API = "api"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    ``tool_calls`` stand in an assistant's turn, ``tool_call_id`` in the result of one of them.
    """

    role: Role
    content: str
    tool_calls: Sequence[ToolCall] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One unit of work: exactly one of ``prompt``, ``messages`` and ``template`` is given.

    ``prompt`` is one user message rendered with the model's chat template where it has one;
    ``raw`` sends it untouched. ``logprobs`` and ``prompt_logprobs`` say how many alternatives
    are wanted beside the token itself: 0 means that token only, ``None`` none at all.
    ``model`` is the id of a model or an alias. ``provider_options`` are fields of the provider's
    own API, sent as they are.
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
    tools: Sequence[Tool] = ()
    tool_choice: ToolChoice | None = None
    response_format: ResponseFormat | None = None
    provider_options: Mapping[str, Any] = field(default_factory=dict)
    routing: Routing = field(default_factory=Routing)
    cache: CacheControl = field(default_factory=CacheControl)
    priority: Priority = Priority.NORMAL
    template: TemplateUse | None = None


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

    ``prompt_tokens`` counts the whole prompt; ``cached_tokens`` of them were not computed again and
    ``cache_write_tokens`` of them were put into the provider's cache. ``reasoning_tokens`` are part
    of ``completion_tokens``. ``saved_cost_usd`` is what an answer out of the cache would have cost.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    duration_ms: float = 0.0
    queue_ms: float = 0.0
    first_token_ms: float = 0.0
    cost_usd: float = 0.0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    saved_cost_usd: float = 0.0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Started:
    """First event of a stream: the request was accepted and its model chosen.

    ``answer_id`` is what feedback takes: ``request_id``, but in conversations, where the caller
    chooses that and every turn has an answer of its own.
    """

    request_id: str
    model: str
    prompt_logprobs: Sequence[TokenLogprob] = ()
    decision: Decision | None = None
    answer_id: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of the answer. ``sequence`` counts the chunks of one answer from 0.

    ``text`` may lag behind ``token_ids`` while a character or a stop string is incomplete.
    """

    text: str
    token_ids: Sequence[int]
    sequence: int
    logprobs: Sequence[TokenLogprob] = ()
    tool_calls: Sequence[ToolCallDelta] = ()


@dataclass(frozen=True, slots=True)
class Complete:
    """Last event of a stream that did not fail."""

    finish_reason: FinishReason
    model_used: str
    metrics: Metrics
    attempts: Sequence[Attempt] = ()
    cache: CacheState = CacheState.OFF


Event = Started | Chunk | Complete


@dataclass(frozen=True, slots=True)
class Response(OldAnswerNames):
    """A whole answer: the events of its stream folded together."""

    request_id: str
    response: str
    model_used: str
    finish_reason: FinishReason
    metrics: Metrics
    token_ids: Sequence[int] = ()
    logprobs: Sequence[TokenLogprob] = ()
    prompt_logprobs: Sequence[TokenLogprob] = ()
    tool_calls: Sequence[ToolCall] = ()
    decision: Decision | None = None
    attempts: Sequence[Attempt] = ()
    cache: CacheState = CacheState.OFF


@dataclass(frozen=True, slots=True)
class HealthReport:
    """``ready`` says whether new requests are taken; ``models`` which of them are in memory."""

    ready: bool
    draining: bool
    models: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CacheCounts:
    """What the cache of answers has done since the service began."""

    hits: int = 0
    misses: int = 0
    coalesced: int = 0
    saved_cost_usd: float = 0.0


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
    cache: CacheCounts = CacheCounts()
