"""Anthropic's stream events as ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from anthropic.types import (
    MessageDeltaUsage,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageStreamEvent,
    Usage,
)

from llm_runner_router.providers.base import Accepted, Delta, Finished, Progress, ProviderEvent
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics

BlockEvent = RawContentBlockStartEvent | RawContentBlockDeltaEvent | RawContentBlockStopEvent

REASONS: Mapping[str | None, FinishReason] = {
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""Reasons that are no plain stop."""


@dataclass(slots=True)
class TokenCounts:
    """What the provider has counted by now; it tells the prompt in three disjoint parts."""

    fresh: int = 0
    cached: int = 0
    written: int = 0
    completion: int = 0
    reasoning: int = 0

    def note(self, usage: Usage | MessageDeltaUsage) -> None:
        """Counts are cumulative; one that is left out stays."""
        self.fresh = known(usage.input_tokens, self.fresh)
        self.cached = known(usage.cache_read_input_tokens, self.cached)
        self.written = known(usage.cache_creation_input_tokens, self.written)
        self.completion = known(usage.output_tokens, self.completion)
        if usage.output_tokens_details is not None:
            thinking = usage.output_tokens_details.thinking_tokens
            self.reasoning = known(thinking, self.reasoning)

    def prompt(self) -> Metrics:
        """What is known of the prompt."""
        return Metrics(
            prompt_tokens=self.fresh + self.cached + self.written,
            cached_tokens=self.cached,
            cache_write_tokens=self.written,
        )

    def whole(self) -> Metrics:
        """The usage of a finished answer."""
        return replace(
            self.prompt(), completion_tokens=self.completion, reasoning_tokens=self.reasoning
        )


def is_ping(event: RawMessageStreamEvent) -> bool:
    """Whether it is a ping, which the client's types do not know."""
    kind: str = event.type
    return kind == "ping"


def known(count: int | None, before: int) -> int:
    """The new count where there is one."""
    return before if count is None else int(count)


class MessageReader:
    """Makes our events of one answer's; thinking is not part of its text."""

    def __init__(self) -> None:
        self._counts = TokenCounts()
        self.finished = False
        self._accepted = False
        self._stop_reason: str | None = None
        self._calls = ToolBlocks()

    def read(self, event: RawMessageStreamEvent) -> list[ProviderEvent]:
        """What ``event`` means; Accepted comes before the first content."""
        if is_ping(event):
            return [Progress("")]
        found = self._read(event)
        if found is None:
            return []
        if self._accepted or isinstance(found, Progress):
            return [found]
        self._accepted = True
        return [Accepted(metrics=self._counts.prompt()), found]

    def _read(self, event: RawMessageStreamEvent) -> Delta | Progress | Finished | None:
        match event.type:
            case "message_start":
                self._counts.note(event.message.usage)
            case "message_delta":
                self._counts.note(event.usage)
                self._stop_reason = event.delta.stop_reason
            case "message_stop":
                self.finished = True
                reason = REASONS.get(self._stop_reason, FinishReason.STOP)
                return Finished(reason, self._counts.whole())
            case "content_block_start" | "content_block_delta" | "content_block_stop":
                return self._content(event)
        return None

    def _content(self, event: BlockEvent) -> Delta | Progress | None:
        """The text, the thought or the piece of a call in an event of a content block."""
        text = string(text_of(event))
        if text:
            return Delta(text)
        if event.type == "content_block_delta" and event.delta.type == "thinking_delta":
            return Progress(string(event.delta.thinking))
        call = self._calls.read(event)
        return None if call is None else Delta("", tool_calls=(call,))


def string(value: object) -> str:
    """Text, which the client does not check; TypeError where it is none."""
    if not isinstance(value, str):
        raise TypeError
    return value


def text_of(event: BlockEvent) -> str:
    """The text in an event, empty where it holds none."""
    if event.type == "content_block_start" and event.content_block.type == "text":
        return event.content_block.text
    if event.type == "content_block_delta" and event.delta.type == "text_delta":
        return event.delta.text
    return ""


class ToolBlocks:
    """The content blocks of one answer that are calls of tools, numbered from 0."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._silent: set[int] = set()

    def read(self, event: BlockEvent) -> ToolCallDelta | None:
        """The piece of a call in ``event``. A call without arguments gets an empty object."""
        if event.type == "content_block_start":
            if event.content_block.type != "tool_use":
                return None
            block = event.content_block
            started = self._numbers[event.index] = len(self._numbers)
            self._silent.add(event.index)
            return ToolCallDelta(started, string(block.id), string(block.name))
        number = self._numbers.get(event.index)
        arguments = string(self._arguments(event))
        if number is None or not arguments:
            return None
        self._silent.discard(event.index)
        return ToolCallDelta(number, arguments=arguments)

    def _arguments(self, event: RawContentBlockDeltaEvent | RawContentBlockStopEvent) -> str:
        if event.type == "content_block_stop":
            return "{}" if event.index in self._silent else ""
        return event.delta.partial_json if event.delta.type == "input_json_delta" else ""
