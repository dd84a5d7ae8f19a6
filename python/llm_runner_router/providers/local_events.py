"""The engine's events as those of a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from llm_runner_router.providers.base import Accepted, Delta, Finished, ProviderEvent
from llm_runner_router.providers.core_errors import request_error
from llm_runner_router.types import FinishReason, Metrics, TokenLogprob, TopLogprob

if TYPE_CHECKING:
    from llm_runner_router import _core

FAILED = "failed"


class Translator:
    """Turns one request's events into Accepted, Delta and Finished, merging what waited.

    ``token_text`` shows a token alone; ``first_token`` begins the prompt.
    """

    def __init__(self, token_text: Callable[[int], str], first_token: int) -> None:
        self._text = token_text
        self._first_token = first_token

    def translate(self, events: Sequence[_core.Event]) -> Iterator[ProviderEvent]:
        """What ``events`` say, in order; raises the RouterError that ended the request."""
        first, last = events[0], events[-1]
        if first.started:
            yield Accepted(self._prompt(first.prompt_logprobs), metrics_of(first))
        token_ids = tuple(token for event in events for token in event.token_ids)
        text = "".join(event.text for event in events)
        if text or token_ids:
            found = [logprob for event in events for logprob in event.logprobs]
            yield Delta(text, token_ids, tuple(map(self._logprob, found)))
        if last.finish_reason == FAILED:
            raise request_error(last.error_code, last.error_reason, last.error_message)
        if last.finish_reason:
            yield Finished(FinishReason(last.finish_reason), metrics_of(last))

    def _prompt(self, all_found: Sequence[_core.TokenLogprob | None]) -> tuple[TokenLogprob, ...]:
        """The prompt's log-probabilities; nothing predicts its first token."""
        first = TokenLogprob(self._first_token, self._text(self._first_token), None)
        return tuple(first if found is None else self._logprob(found) for found in all_found)

    def _logprob(self, found: _core.TokenLogprob) -> TokenLogprob:
        top = (TopLogprob(token, self._text(token), value) for token, value in found.top)
        return TokenLogprob(found.token_id, self._text(found.token_id), found.logprob, tuple(top))


def metrics_of(event: _core.Event) -> Metrics:
    """What the engine has counted."""
    return Metrics(
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.completion_tokens,
        cached_tokens=event.cached_tokens,
        queue_ms=event.queue_ms,
        first_token_ms=event.first_token_ms,
    )
