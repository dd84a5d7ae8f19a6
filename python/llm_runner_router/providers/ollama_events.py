"""The parts of Ollama's answers as events, and its client's errors as ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import ollama

from llm_runner_router.errors import ProviderFailedError
from llm_runner_router.providers.base import Accepted, Delta, Finished, Progress, ProviderEvent
from llm_runner_router.providers.ollama_client import Part
from llm_runner_router.providers.rejection import Rejection
from llm_runner_router.providers.transport_errors import translated
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics

REASONS: Mapping[str | None, FinishReason] = {"length": FinishReason.LENGTH}
"""Reasons that are no plain stop."""

NONSENSE = (ValueError, TypeError, AttributeError, RecursionError)
"""What the client raises where an answer is not what it should be."""


@contextmanager
def reading(provider: str, key: str | None) -> Iterator[None]:
    """RouterErrors instead of whatever a call or its stream raises; ``key`` is struck out."""
    with translated(provider):
        try:
            yield
        except ollama.ResponseError as error:
            raise rejection_of(error, key).error(provider) from None
        except NONSENSE as error:
            kind = type(error).__name__
            raise ProviderFailedError(f"{provider} answered nonsense ({kind})") from None


def rejection_of(error: ollama.ResponseError, key: str | None) -> Rejection:
    """What the provider says with a status, or in the middle of a stream, where it has none."""
    # The client tells neither headers nor body, but leaves the error that it met as the context.
    met = error.__context__
    if isinstance(met, httpx.HTTPStatusError):
        response = met.response
        return Rejection.read(response.status_code, response.headers, response.text, key)
    return Rejection.told(500, str(error.error), key)


class PartReader:
    """Makes our events of one answer's parts; thinking is not part of its text."""

    def __init__(self, request_id: str) -> None:
        self.finished = False
        self._request_id = request_id
        self._accepted = False
        self._calls = 0

    def read(self, part: Part) -> list[ProviderEvent]:
        """What ``part`` means; Accepted comes before the first content."""
        thought = thought_of(part)
        answered = self._answered(part)
        return [Progress(thought), *answered] if thought else answered

    def _answered(self, part: Part) -> list[ProviderEvent]:
        """What ``part`` adds to the answer."""
        found: list[ProviderEvent] = []
        text, calls = content_of(part)
        if text or calls:
            found.append(Delta(text, tool_calls=tuple(map(self._call, calls))))
        if part.done:
            self.finished = True
            found.append(Finished(self._reason(part), metrics_of(part)))
        if found and not self._accepted:
            self._accepted = True
            found.insert(0, Accepted())
        return found

    def _call(self, call: ollama.Message.ToolCall) -> ToolCallDelta:
        """A call, which comes whole and without an id: one is made up, for its result to name."""
        index = self._calls
        self._calls += 1
        arguments = json.dumps(call.function.arguments, ensure_ascii=False)
        name = call.function.name
        return ToolCallDelta(index, f"call_{self._request_id}_{index}", name, arguments)

    def _reason(self, part: Part) -> FinishReason:
        reason = REASONS.get(part.done_reason, FinishReason.STOP)
        asks = self._calls > 0 and reason is FinishReason.STOP
        return FinishReason.TOOL_CALLS if asks else reason


def content_of(part: Part) -> tuple[str, list[ollama.Message.ToolCall]]:
    """The text and the calls in a part of a chat, or of a continued prompt, which has none."""
    if isinstance(part, ollama.GenerateResponse):
        return part.response or "", []
    return part.message.content or "", list(part.message.tool_calls or ())


def thought_of(part: Part) -> str:
    """What the model thinks in a part."""
    source = part if isinstance(part, ollama.GenerateResponse) else part.message
    return source.thinking or ""


def metrics_of(part: Part) -> Metrics:
    """The usage, which the last part tells."""
    return Metrics(
        prompt_tokens=part.prompt_eval_count or 0, completion_tokens=part.eval_count or 0
    )
