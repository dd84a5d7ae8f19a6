"""Answers as OpenAI's API streams them, folded into events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llm_runner_router.errors import ProviderFailedError, RouterError
from llm_runner_router.providers.base import Delta, Finished, Progress
from llm_runner_router.providers.rejection import Rejection
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, TokenLogprob, TopLogprob

DONE = b"[DONE]"

REASONS: Mapping[str, FinishReason] = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}
"""OpenAI's words, and those that TGI and Mistral have besides."""

NONSENSE = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
"""What reading an answer of another shape runs into."""


class OpenAIAnswer:
    """One answer while it comes. ``provider`` is named in errors, ``key`` struck out of them."""

    def __init__(self, provider: str, key: str | None = None) -> None:
        self.done = False
        self.failure: RouterError | None = None
        self._provider = provider
        self._key = key
        self._reason: FinishReason | None = None
        self._metrics = Metrics()
        self._texts: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._calls: list[ToolCallDelta] = []
        self._called = False
        self._thoughts: list[str] = []

    @property
    def metrics(self) -> Metrics:
        """The usage as the provider has told it by now."""
        return self._metrics

    def take(self, payloads: Sequence[bytes]) -> list[Progress | Delta]:
        """What the data of some events adds: its thoughts in one, and the answer in one.

        Afterwards ``done`` tells that the end was among them, and ``failure`` what went wrong: that
        they make no sense, or the error that the provider streams. What came before it is good.
        """
        for payload in payloads:
            if payload == DONE:
                self.done = True
                break
            try:
                self._read(payload)
            except RouterError as error:
                self.failure = error
                break
        return self._news()

    def finished(self) -> Finished:
        """The end; ProviderFailedError where the answer is not whole."""
        if self._reason is None and not self.done:
            raise ProviderFailedError(f"{self._provider} broke off before the end of its answer")
        reason = self._reason or FinishReason.STOP
        asks = self._called and reason is FinishReason.STOP
        return Finished(FinishReason.TOOL_CALLS if asks else reason, self._metrics)

    def _read(self, payload: bytes) -> None:
        try:
            chunk = json.loads(payload)
            if chunk.get("error"):
                raise self._failure(chunk)
            for choice in chunk.get("choices") or ():
                if not choice.get("index"):
                    self._choose(choice)
            usage = chunk.get("usage")
            if usage:
                self._metrics = metrics_of(usage)
        except NONSENSE:
            message = f"{self._provider} sent what is no part of an answer"
            raise ProviderFailedError(message) from None

    def _choose(self, choice: Mapping[str, Any]) -> None:
        delta = choice.get("delta") or choice
        text = delta.get("content") or delta.get("refusal") or delta.get("text")
        if text:
            self._texts.append(text_of(text))
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought and isinstance(thought, str):
            self._thoughts.append(thought)
        for position, call in enumerate(delta.get("tool_calls") or ()):
            self._calls.append(call_of(call, position))
        if delta.get("function_call"):  # the API before there were tools: one call, without an id
            self._calls.append(call_of({"function": delta["function_call"]}, 0))
        if choice.get("logprobs"):
            self._logprobs.extend(logprobs_of(choice["logprobs"]))
        if choice.get("finish_reason"):
            self._reason = self._reason_of(choice["finish_reason"])

    def _reason_of(self, word: str) -> FinishReason:
        reason = REASONS.get(word)
        if reason is None:
            message = f"{self._provider} ended its answer with {word[:40]!r}"
            raise ProviderFailedError(message)
        return reason

    def _failure(self, chunk: Mapping[str, Any]) -> RouterError:
        """An error in the middle of a stream; some servers tell the status that it would have."""
        inner = chunk["error"]
        code = inner.get("code") if isinstance(inner, Mapping) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        return Rejection.told(status, chunk, self._key).error(self._provider)

    def _news(self) -> list[Progress | Delta]:
        """What has come since the last time."""
        found: list[Progress | Delta] = []
        if self._thoughts:
            found.append(Progress("".join(self._thoughts)))
            self._thoughts = []
        if self._texts or self._calls or self._logprobs:
            text, logprobs, calls = "".join(self._texts), self._logprobs, self._calls
            found.append(Delta(text, logprobs=tuple(logprobs), tool_calls=tuple(calls)))
            self._called = self._called or bool(calls)
            self._texts, self._logprobs, self._calls = [], [], []
        return found


def text_of(content: object) -> str:
    """Text, or the text among the parts of some models' answers."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise TypeError
    return "".join(part["text"] for part in content if part.get("type") == "text")


def call_of(call: Mapping[str, Any], position: int) -> ToolCallDelta:
    """A piece of a tool call."""
    function = call.get("function") or {}
    index = call.get("index")
    return ToolCallDelta(
        count(position if index is None else index),
        string(call.get("id")),
        string(function.get("name")),
        string(function.get("arguments")),
    )


def logprobs_of(logprobs: Mapping[str, Any]) -> Iterator[TokenLogprob]:
    """Those of a chat, or those of a continued text, which have a shape of their own."""
    if "tokens" in logprobs:
        yield from text_logprobs(logprobs)
        return
    for entry in logprobs.get("content") or ():
        top = [
            TopLogprob(count(other.get("id")), string(other["token"]), float(other["logprob"]))
            for other in entry.get("top_logprobs") or ()
        ]
        token, logprob = string(entry["token"]), float(entry["logprob"])
        yield TokenLogprob(count(entry.get("id")), token, logprob, top)


def text_logprobs(logprobs: Mapping[str, Any]) -> Iterator[TokenLogprob]:
    """Tokens, their log-probabilities and the alternatives in lists beside each other."""
    tokens = logprobs["tokens"]
    tops = logprobs.get("top_logprobs") or [None] * len(tokens)
    for token, logprob, others in zip(tokens, logprobs["token_logprobs"], tops, strict=True):
        top = [TopLogprob(0, string(text), float(value)) for text, value in (others or {}).items()]
        yield TokenLogprob(0, string(token), None if logprob is None else float(logprob), top)


def metrics_of(usage: Mapping[str, Any]) -> Metrics:
    """The provider's usage. OpenRouter tells the cost too, DeepSeek the cached tokens elsewhere."""
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    cached = prompt.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
    return Metrics(
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        cached_tokens=count(cached),
        cache_write_tokens=count(prompt.get("cache_write_tokens")),
        reasoning_tokens=count(completion.get("reasoning_tokens")),
        cost_usd=cost_of(usage.get("cost")),
    )


def count(value: object) -> int:
    """A number of things; nothing counts as none."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value


def cost_of(value: object) -> float:
    """US dollars, where a number of them is told; Perplexity tells a table, which is no number."""
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def string(value: object) -> str:
    """Text; nothing is an empty one."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
