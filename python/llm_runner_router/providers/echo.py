"""A provider that says the prompt back, for tests of everything above a provider.

It computes nothing. A record names it as provider ``echo``; its behaviour stands in the options of
the record's endpoint, as ``EchoBehaviour.of`` reads them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Self, TypeVar

from llm_runner_router.errors import RouterError, UnavailableError
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.echo_behaviour import EchoBehaviour
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import ModelDetails, ModelRecord
from llm_runner_router.types import FinishReason, Metrics, Request, TokenLogprob, TopLogprob

T = TypeVar("T")

REMEMBERED = 1024
"""Calls that are kept for tests to look at."""


class EchoProvider:
    """Answers with the last message, one word a delta; a token is a character's code point.

    ``gate``, where given, is awaited before each delta, so that a test decides when it comes.
    """

    def __init__(
        self, behaviour: EchoBehaviour | None = None, gate: asyncio.Semaphore | None = None
    ) -> None:
        self.behaviour = behaviour or EchoBehaviour()
        self.gate = gate
        self.calls: list[Call] = []
        self.running: set[str] = set()
        self.held: set[str] = set()
        self.cancelled: list[str] = []
        self.deltas = 0
        self._closing = asyncio.Event()

    @classmethod
    def open(cls, record: ModelRecord, pool: HttpPool) -> Self:
        """As the options of the record's endpoint say; it needs no connections."""
        del pool
        return cls(EchoBehaviour.of(record.endpoint.options))

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._closing.is_set()

    @property
    def usable(self) -> bool:
        """Until it is closed."""
        return not self.closed

    @property
    def details(self) -> ModelDetails:
        """Fixed values."""
        return ModelDetails("echo", 0, 0, 4096, 0x110000)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """Answer ``call`` as its behaviour says."""
        if self.closed:
            raise UnavailableError("the provider is closed")
        remember(self.calls, call)
        self.running.add(call.request_id)
        if call.hold:
            self.held.add(call.request_id)
        finished = False
        try:
            async for event in self._answer(call):
                finished = isinstance(event, Finished)
                yield event
        except RouterError:
            finished = True
            raise
        finally:
            self.running.discard(call.request_id)
            if not finished:
                remember(self.cancelled, call.request_id)

    async def _answer(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        prompt = prompt_text(call.request)
        words = self._words(call.request)
        metrics = Metrics(prompt_tokens=len(prompt))
        await pause(self.behaviour.first_latency)
        self._fail(0)
        yield Accepted(prompt_logprobs(call.request, prompt), metrics)
        tokens = 0
        for index, word in enumerate(words):
            await self._step(index)
            tokens += len(word)
            self.deltas += 1
            token_ids = self.tokenize(word, add_special=False, parse_special=False)
            yield Delta(word, token_ids, logprobs(call.request, word))
        await self._step(len(words))
        reason = FinishReason.LENGTH if len(words) < len(pieces(prompt)) else FinishReason.STOP
        yield Finished(reason, Metrics(prompt_tokens=len(prompt), completion_tokens=tokens))

    def _words(self, request: Request) -> list[str]:
        words = pieces(last_text(request))
        wanted = self.behaviour.chunks
        if wanted is not None:
            words = [words[index % len(words)] for index in range(wanted)] if words else []
        return words if request.max_tokens is None else words[: request.max_tokens]

    async def _step(self, index: int) -> None:
        """What happens before delta ``index``."""
        self._fail(index)
        if self.gate is not None:
            await self._pass(self.gate)
        await pause(self.behaviour.chunk_latency)

    def _fail(self, index: int) -> None:
        """Raise the failure that comes before delta ``index``."""
        error = self.behaviour.error()
        if error is not None and index == self.behaviour.fail_after:
            raise error

    async def _pass(self, gate: asyncio.Semaphore) -> None:
        """Wait for the gate, or fail when the provider is closed."""
        waits = [asyncio.ensure_future(gate.acquire()), asyncio.ensure_future(self._closing.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.closed:
            raise UnavailableError("the provider is closed")

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        """Code points; there are no special ones."""
        del add_special, parse_special
        return [ord(character) for character in text]

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """The characters of code points."""
        return "".join(map(chr, token_ids))

    def release(self, request_id: str) -> None:
        """Forget that a call is held."""
        self.held.discard(request_id)

    async def close(self) -> None:
        """Take no more calls."""
        self._closing.set()


def remember(items: list[T], item: T) -> None:
    """Append ``item``, and forget those of long ago."""
    items.append(item)
    del items[:-REMEMBERED]


async def pause(seconds: float) -> None:
    """Let others run, at least once."""
    await asyncio.sleep(seconds)


def pieces(text: str) -> list[str]:
    """Words with the space before them."""
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])] if text else []


def prompt_text(request: Request) -> str:
    """All that the request says."""
    said = "".join(message.content for message in request.messages)
    return said if request.prompt is None else request.prompt


def last_text(request: Request) -> str:
    """What is said back."""
    return request.messages[-1].content if request.prompt is None else request.prompt


def logprobs(request: Request, text: str) -> list[TokenLogprob]:
    """Certainty, where log-probabilities are wanted."""
    if request.logprobs is None:
        return []
    top = [TopLogprob(0, "", 0.0)] * request.logprobs
    return [TokenLogprob(ord(character), character, 0.0, top) for character in text]


def prompt_logprobs(request: Request, text: str) -> list[TokenLogprob]:
    """Certainty about the prompt, where wanted; nothing predicts the first token."""
    if request.prompt_logprobs is None:
        return []
    found = [TokenLogprob(ord(character), character, 0.0) for character in text]
    return [TokenLogprob(found[0].token_id, found[0].token, None), *found[1:]]
