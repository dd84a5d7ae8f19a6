"""Models that run in this process, by the C++ core.

The engine works in a thread of its own and is pulled: its descriptor becomes readable, the event
loop drains it, and each request's consumer acknowledges what it takes. A consumer that takes
nothing pauses its own request only.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from llm_runner_router import _core
from llm_runner_router.errors import (
    ContextLengthError,
    EngineError,
    InvalidRequestError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.providers.base import Call, Finished, ProviderEvent
from llm_runner_router.providers.core_errors import BREAKING, request_error
from llm_runner_router.providers.inbox import Inbox
from llm_runner_router.providers.local_events import Translator
from llm_runner_router.providers.local_model import (
    LoadedModel,
    LocalOptions,
    discard,
    load_model,
    overall,
)
from llm_runner_router.registry.records import LoadProgress, MemoryEstimate, ModelDetails
from llm_runner_router.tokenizer import TokenizerError
from llm_runner_router.types import Request

T = TypeVar("T")

DEFAULT_TEMPERATURE = 0.7
"""Of requests and models that say nothing."""

ENCODERS = 2
"""Threads of a model that turn text into tokens."""

SAVE_SECONDS = 10.0
"""How long a model that is taken out of memory may save what it has cached."""

logger = logging.getLogger(__name__)


class LocalProvider:
    """Implements Provider. Made by ``load``; belongs to the event loop that it was made in."""

    def __init__(self, model: LoadedModel) -> None:
        self._engine = model.engine
        self._tokenizer = model.tokenizer
        self._encoder = model.encoder
        self._details = model.details
        self._memory = model.memory
        self._prefixes = model.prefixes
        self._token_bytes = model.tokenizer.token_bytes()
        self._inboxes: dict[int, Inbox[_core.Event]] = {}
        self._held: dict[str, int] = {}
        self._threads = ThreadPoolExecutor(ENCODERS, thread_name_prefix="encode")
        self._ended: RouterError | None = None
        self._broken = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._engine.fd, self._drain)

    @classmethod
    async def load(
        cls, options: LocalOptions, on_progress: Callable[[LoadProgress], None]
    ) -> LocalProvider:
        """Load a model in a thread; a cancelled or failed load leaves nothing behind."""
        loop = asyncio.get_running_loop()
        given_up = threading.Event()

        def report(phase: str, fraction: float) -> bool:
            loop.call_soon_threadsafe(on_progress, LoadProgress(phase, overall(phase, fraction)))
            return not given_up.is_set()

        loading = loop.run_in_executor(None, load_model, options, report)
        try:
            return cls(await asyncio.shield(loading))
        except asyncio.CancelledError:
            given_up.set()
            loading.add_done_callback(discard)
            await asyncio.wait([loading])
            raise

    @property
    def usable(self) -> bool:
        """See Provider."""
        return self._ended is None and not self._broken

    @property
    def details(self) -> ModelDetails:
        """What is known of the model."""
        return self._details

    @property
    def memory(self) -> MemoryEstimate:
        """What the model takes in memory."""
        return self._memory

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """See Provider."""
        tokens = await self._encoded(call.request)
        number = self._submit(call, tokens)
        inbox = self._inboxes[number]
        translator = Translator(self._token_text, tokens[0])
        try:
            while True:
                events = await inbox.take()
                self._engine.acknowledge(number, len(events))
                for event in translator.translate(events):
                    yield event
                    if isinstance(event, Finished):
                        return
        finally:
            del self._inboxes[number]
            self._engine.cancel(number)  # of no effect where it has ended

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        """See Provider."""
        try:
            return self._tokenizer.encode(
                text, add_special=add_special, parse_special=parse_special
            )
        except TokenizerError as error:
            raise InvalidRequestError("text", error.value, error.allowed) from None

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """See Provider."""
        try:
            return self._tokenizer.decode(token_ids)
        except TokenizerError as error:
            raise InvalidRequestError("token_ids", error.value, error.allowed) from None

    def _token_text(self, token: int) -> str:
        """A token alone: its name where it adds no text, U+FFFD for part of a character."""
        return self._token_bytes[token].decode(errors="replace") or self._tokenizer.token_text(
            token
        )

    def release(self, request_id: str) -> None:
        """See Provider."""
        number = self._held.pop(request_id, None)
        if number is not None:
            self._engine.release(number)

    async def close(self) -> None:
        """See Provider."""
        self._end(UnavailableError("the model was taken out of memory"))
        try:
            await self._save()
        finally:
            await asyncio.to_thread(self._engine.close)  # ends what is still being saved
            self._threads.shutdown(wait=False)

    async def _save(self) -> None:
        """Save what is cached: once, and not for longer than may be."""
        prefixes, self._prefixes = self._prefixes, None
        if prefixes is not None:
            saving = asyncio.ensure_future(asyncio.to_thread(prefixes.save))
            await asyncio.wait([saving], timeout=SAVE_SECONDS)

    async def _encoded(self, request: Request) -> list[int]:
        """The prompt's tokens, checked against the context and the vocabulary."""
        self._check_alive()
        loop = asyncio.get_running_loop()
        tokens = await loop.run_in_executor(self._threads, self._encoder.encode, request)
        self._check_alive()
        context = self._engine.context_length
        if len(tokens) >= context:
            raise ContextLengthError(len(tokens), context)
        if not tokens:
            raise InvalidRequestError("prompt", request.prompt, "text of at least one token")
        size = self._engine.vocabulary_size
        for token in request.logit_bias:
            if token >= size:
                raise InvalidRequestError("logit_bias", token, f"token ids from 0 to {size - 1}")
        return tokens

    def _check_alive(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _submit(self, call: Call, tokens: list[int]) -> int:
        """Hand a request to the engine; its number, under which an inbox waits."""
        try:
            number = self._engine.submit(submission(call, tokens))
        except _core.CoreError as error:
            self._broken = self._broken or error.code in BREAKING
            raise request_error(error.code, error.reason, error.message) from None
        self._inboxes[number] = Inbox()
        if call.hold:
            self._held[call.request_id] = number
        return number

    def _drain(self) -> None:
        """Hand out what the engine has to say."""
        try:
            events = self._engine.drain()
        except _core.CoreError as error:
            logger.exception("the engine of %s failed", self._details.architecture)
            self._end(EngineError(error.message))
            return
        for event in events:
            self._broken = self._broken or event.error_code in BREAKING
            inbox = self._inboxes.get(event.id)
            if inbox is not None:
                inbox.put(event)

    def _end(self, error: RouterError) -> None:
        """No more events: what runs fails with ``error``, and so does what comes."""
        if self._ended is None:
            self._ended = error
            self._loop.remove_reader(self._engine.fd)
            for inbox in self._inboxes.values():
                inbox.fail(error)


def submission(call: Call, tokens: list[int]) -> _core.Submission:
    """A request as the core wants it."""
    request = call.request
    return _core.Submission(
        tokens=tokens,
        max_tokens=request.max_tokens or 0,
        temperature=otherwise(request.temperature, DEFAULT_TEMPERATURE),
        top_k=otherwise(request.top_k, 0),
        top_p=otherwise(request.top_p, 1.0),
        min_p=otherwise(request.min_p, 0.0),
        seed=secrets.randbits(32) if request.seed is None else request.seed,
        repeat_penalty=otherwise(request.repeat_penalty, 1.0),
        frequency_penalty=otherwise(request.frequency_penalty, 0.0),
        presence_penalty=otherwise(request.presence_penalty, 0.0),
        logit_bias=dict(request.logit_bias),
        stop=list(request.stop),
        ignore_eos=request.ignore_eos,
        logprobs=otherwise(request.logprobs, -1),
        prompt_logprobs=otherwise(request.prompt_logprobs, -1),
        deadline=seconds_left(call.deadline),
        caller=fingerprint(call.caller),
        hold=call.hold,
    )


def otherwise(value: T | None, default: T) -> T:
    """``value``, or the default of a request that says nothing."""
    return default if value is None else value


def seconds_left(deadline: float | None) -> float:
    """Seconds until ``deadline``, endless without one; TimeLimitError where it has passed."""
    if deadline is None:
        return math.inf
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeLimitError("the deadline passed before the answer began")
    return left


def fingerprint(caller: str) -> int:
    """A number of 63 bits for a caller's name."""
    digest = hashlib.blake2b(caller.encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
