"""What the pipeline asks of whoever produces an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_runner_router.registry.records import ModelDetails
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, Request, TokenLogprob


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way to a provider.

    ``deadline`` is a time of ``time.monotonic()`` or ``None``; ``caller`` is the name that
    fairness counts by; ``hold`` keeps the KV of this conversation until ``release``.
    """

    request_id: str
    request: Request
    caller: str = "anonymous"
    deadline: float | None = None
    hold: bool = False


NOTHING_YET = Metrics()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has begun to answer. Sent once, before any delta.

    It commits: whatever fails before it may be tried again elsewhere, nothing after it is. A
    provider behind a network therefore sends it together with its first content and not before.

    ``metrics`` are those known by now (prompt and cached tokens, queue and first-token times), so
    that an answer that is cancelled can be accounted for.
    """

    prompt_logprobs: Sequence[TokenLogprob] = ()
    metrics: Metrics = NOTHING_YET


@dataclass(frozen=True, slots=True)
class Delta:
    """The text and tokens that were waiting when the consumer asked."""

    text: str
    token_ids: Sequence[int] = ()
    logprobs: Sequence[TokenLogprob] = ()
    tool_calls: Sequence[ToolCallDelta] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life, at any time before Finished, that commits to nothing.

    ``text`` is what the model thinks: no part of the answer, but paid for. It may be empty.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer with the provider's own final usage."""

    finish_reason: FinishReason
    metrics: Metrics


AnswerEvent = Accepted | Delta | Finished
"""What an answer consists of for whoever asked."""

ProviderEvent = AnswerEvent | Progress
"""What providers yield."""


class Provider(Protocol):
    """Produces answers for one model. Implementations belong to one event loop.

    ``generate`` yields Accepted, any number of Delta, then Finished, and Progress before these or
    in between; it raises a RouterError instead of Finished when it fails. Closing the iterator
    early (``aclose`` or cancellation of the consuming task) cancels the work at once. A consumer
    that does not ask for the next event pauses its own answer only.
    """

    @property
    def usable(self) -> bool:
        """Whether it can answer; false once what it runs on has failed."""
        ...

    @property
    def details(self) -> ModelDetails:
        """What is known of the model."""
        ...

    def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """Answer ``call``."""
        ...

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        """The token ids of ``text``; UnsupportedError where the provider has no tokenizer."""
        ...

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """The text of ``token_ids``."""
        ...

    def release(self, request_id: str) -> None:
        """Let go of the KV that a call with ``hold`` kept. Unknown ids are ignored."""
        ...

    async def close(self) -> None:
        """End what runs and give the memory back. May be called more than once."""
        ...
