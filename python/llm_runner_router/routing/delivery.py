"""What an attempt has delivered so far, and how long its provider took for it."""

from __future__ import annotations

from dataclasses import replace

from llm_runner_router.providers.base import (
    NOTHING_YET,
    Accepted,
    Delta,
    Finished,
    Progress,
    ProviderEvent,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.token_estimate import prompt_tokens, text_tokens
from llm_runner_router.types import Metrics, ModelFormat, Request


class Delivery:
    """Counts the events of one attempt. Pure: it is told how many seconds each took.

    Only the time that was spent on waiting for the provider counts, for a consumer that takes its
    time says nothing about the model.
    """

    def __init__(self, record: ModelRecord, request: Request) -> None:
        self._record = record
        self._request = request
        self._accepted: Metrics | None = None
        self._finished: Metrics | None = None
        self._tokens = 0
        self._thoughts = 0
        self._first_tokens = 0
        self._first_seconds: float | None = None
        self._seconds = 0.0
        self._held_up = 0.0

    @property
    def begun(self) -> bool:
        """Whether the attempt was accepted."""
        return self._accepted is not None

    @property
    def alive(self) -> bool:
        """Whether a token has come, be it one of a thought."""
        return self.begun or self._thoughts > 0

    def note(self, event: ProviderEvent, *, waited: float, held_up: float) -> None:
        """``event`` came after ``waited`` seconds; the consumer took ``held_up`` to ask for it."""
        self._seconds += waited
        self._held_up += held_up
        match event:
            case Accepted():
                self._accepted = event.metrics
            case Delta():
                self._tokens += delta_tokens(event)
            case Progress():
                self._thoughts += text_tokens(event.text)
            case Finished():
                self._finished = event.metrics
        if self._first_seconds is None and isinstance(event, Delta | Finished):
            self._first_seconds, self._first_tokens = self._seconds, self._tokens
            self._held_up = 0.0

    def metrics(self) -> Metrics:
        """What is to be paid: the provider's own final usage, else what has come until now.

        What an API does not say is estimated, once it has begun to think or to answer.
        """
        if not self.alive:
            return Metrics()
        known = self._finished or self._accepted or NOTHING_YET
        prompt = known.prompt_tokens
        if not prompt and self._record.format is ModelFormat.API:
            prompt = prompt_tokens(self._request)
        completion = known.completion_tokens
        if not completion or self._finished is None:
            completion = max(completion, self._tokens + self._thoughts)
        return replace(
            known,
            prompt_tokens=prompt,
            completion_tokens=completion,
            reasoning_tokens=known.reasoning_tokens or min(self._thoughts, completion),
        )

    def first_token_ms(self) -> float | None:
        """Milliseconds to the first content."""
        return None if self._first_seconds is None else self._first_seconds * 1000.0

    def token_ms(self) -> float | None:
        """Milliseconds a token of the answer after the first.

        ``None`` where too little came, or where the consumer held the provider up for longer than
        it took itself: then the tokens were ready before they were asked for.
        """
        if self._first_seconds is None:
            return None
        metrics = self.metrics()
        answered = metrics.completion_tokens - metrics.reasoning_tokens
        tokens = answered - self._first_tokens
        seconds = self._seconds - self._first_seconds
        if tokens <= 0 or self._held_up > seconds:
            return None
        return seconds * 1000.0 / tokens


def delta_tokens(delta: Delta) -> int:
    """The tokens of a delta: an estimate where its provider does not number them."""
    if delta.token_ids:
        return len(delta.token_ids)
    calls = "".join(call.name + call.arguments for call in delta.tool_calls)
    return text_tokens(delta.text + calls) or int(bool(delta.tool_calls))
