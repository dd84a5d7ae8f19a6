"""A provider that answers with the words of the last message, and a service that runs it.

Real behaviour without weights: every word is a token, tokenizing is reversible, holding and
cancelling are observable. ``gate`` lets a test decide when words flow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import ContextLengthError, InvalidRequestError, ModelFileError
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.registry.records import (
    LoadProgress,
    MemoryEstimate,
    ModelDetails,
    ModelRecord,
)
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, TokenLogprob, TopLogprob

CONTEXT = 1000
DETAILS = ModelDetails("words", 0, 0, CONTEXT, 0)


@dataclass
class WordProvider:
    """Says the prompt's words back, ``max_tokens`` of them at most."""

    details: ModelDetails = DETAILS
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    vocabulary: list[str] = field(default_factory=list)
    running: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    said: int = 0
    usable: bool = True
    calls: list[Call] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def token(self, word: str) -> int:
        if word not in self.vocabulary:
            self.vocabulary.append(word)
        return self.vocabulary.index(word)

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        request = call.request
        messages = request.messages
        words = (request.prompt if request.prompt is not None else messages[-1].content).split()
        if len(words) >= CONTEXT:
            raise ContextLengthError(len(words), CONTEXT)
        self.calls.append(call)
        self.running += 1
        self.began.set()
        try:
            yield Accepted(
                self._prompt_logprobs(words) if request.prompt_logprobs is not None else ()
            )
            limit = len(words) if request.max_tokens is None else request.max_tokens
            for word in words[:limit]:
                await self.gate.wait()
                self.said += 1
                logprobs = (self._logprob(word),) if request.logprobs is not None else ()
                yield Delta(f"{word} ", (self.token(word),), logprobs)
            reason = FinishReason.STOP if limit >= len(words) else FinishReason.LENGTH
            said = min(limit, len(words))
            yield Finished(reason, Metrics(prompt_tokens=len(words), completion_tokens=said))
        finally:
            self.running -= 1
            if self.running == 0:
                self.ended.set()

    def _logprob(self, word: str) -> TokenLogprob:
        token = self.token(word)
        return TokenLogprob(token, word, -0.5, (TopLogprob(token, word, -0.5),))

    def _prompt_logprobs(self, words: Sequence[str]) -> tuple[TokenLogprob, ...]:
        first = TokenLogprob(self.token(words[0]), words[0], None)
        return (first, *map(self._logprob, words[1:]))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        del add_special, parse_special
        return [self.token(word) for word in text.split()]

    def detokenize(self, token_ids: Sequence[int]) -> str:
        for token in token_ids:
            if token >= len(self.vocabulary):
                raise InvalidRequestError("token_ids", token, f"below {len(self.vocabulary)}")
        return " ".join(self.vocabulary[token] for token in token_ids)

    def release(self, request_id: str) -> None:
        del request_id

    async def close(self) -> None:
        self.gate.set()


class WordLoader:
    """Loads word providers. A source whose name has ``broken`` in it cannot be loaded."""

    def __init__(self) -> None:
        self.provider = WordProvider()

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        del record
        return None

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> WordProvider:
        if "broken" in record.source:
            raise ModelFileError(f"{Path(record.source).name}: not a GGUF file")
        on_progress(LoadProgress("reading", 0.5))
        on_progress(LoadProgress("reading", 1.0))
        return self.provider


@dataclass
class Service:
    """A running server with its parts at hand."""

    server: Server
    runtime: Runtime
    provider: WordProvider

    @property
    def address(self) -> str:
        return self.server.address


@asynccontextmanager
async def running(
    config: Mapping[str, Any] | None = None,
    *,
    drain_timeout: float = 5.0,
    models: Sequence[str] = ("words",),
) -> AsyncIterator[Service]:
    """A service on a free port with word models."""
    loader = WordLoader()
    loaded = load_config(config or {}, environment={}, folder=Path("/nonexistent"))
    runtime = Runtime(loaded, loader)
    await runtime.initialize()
    for model in models:
        record = ModelRecord(model, model, ModelFormat.GGUF, f"/models/{model}.gguf")
        await runtime.register_model(record)
    server = Server(runtime, ServerOptions(port=0, drain_timeout=drain_timeout))
    await server.start()
    try:
        yield Service(server, runtime, loader.provider)
    finally:
        await server.stop()
        await runtime.close()
