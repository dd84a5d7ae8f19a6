"""The whole path of a request."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, fields, replace
from typing import Any

from llm_runner_router.admission import Admission
from llm_runner_router.backend import CallContext
from llm_runner_router.config import Config
from llm_runner_router.errors import RouterError, TimeLimitError
from llm_runner_router.providers.base import (
    Accepted,
    Call,
    Delta,
    Finished,
    Provider,
    ProviderEvent,
)
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.registry.residency import Residency
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.tally import Tally
from llm_runner_router.types import Chunk, Complete, Event, Request, Started
from llm_runner_router.validation import validate_request

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passage:
    """One request on its way: who asks, its unique id, and its account."""

    request: Request
    context: CallContext
    request_id: str
    tally: Tally
    hold: bool

    @classmethod
    def begin(cls, request: Request, context: CallContext, *, hold: bool = False) -> Passage:
        """A request that sets off now; ``hold`` keeps its KV until ``Pipeline.release``."""
        return cls(request, context, uuid.uuid4().hex, Tally(), hold)


class Pipeline:
    """Answers requests. Belongs to one event loop; ``config`` tells the limits of the moment."""

    def __init__(
        self,
        admission: Admission,
        router: ModelRouter,
        residency: Residency,
        config: Callable[[], Config],
    ) -> None:
        self._admission = admission
        self._router = router
        self._residency = residency
        self._config = config

    async def run(self, passage: Passage) -> AsyncGenerator[Event, None]:
        """Started, Chunk …, Complete; or a RouterError. Closing it early cancels the work."""
        request, tally, deadline = passage.request, passage.tally, passage.context.deadline
        with logged(passage):
            validate_request(request)
            record = self._router.choose(request.model)
            tally.model = record.id
            async with self._admission.permit(deadline) as waited:
                tally.admission_ms = waited * 1000.0
                async with entered_by(deadline, self._residency.lease(record.id)) as provider:
                    call = call_of(passage, record.config)
                    async with aclosing(self._limited(provider, call)) as answer:
                        async for event in answer:
                            yield told(event, passage)

    def release(self, model: str, request_id: str) -> None:
        """Let go of the KV that a passage with ``hold`` has left behind."""
        provider = self._residency.provider(model)
        if provider is not None:
            provider.release(request_id)

    def time_limit(self, deadline: float | None, missing: str) -> AbstractAsyncContextManager[None]:
        """The time that a request may go without getting on; ``missing`` says what it lacks."""
        return time_limit(self._config().performance.timeout, deadline, missing)

    async def _limited(self, provider: Provider, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """The answer within the time between two tokens and the deadline of the whole.

        Only the provider's time counts, not that of the consumer: what may stall that one has a
        limit of its own.
        """
        async with aclosing(provider.generate(call)) as answer:
            while True:
                async with self.time_limit(call.deadline, "no new token"):
                    event = await anext(answer, None)
                if event is None:
                    return
                yield event


@contextmanager
def logged(passage: Passage) -> Iterator[None]:
    """One line a request, when it is over."""
    outcome = "cancelled"
    try:
        yield
        outcome = "answered"
    except RouterError as error:
        outcome = error.reason
        raise
    finally:
        tally = passage.tally
        logger.debug(
            "request %s of %s to %s: %s, %d tokens in %.1f ms",
            passage.request_id,
            passage.context.caller,
            tally.model or "no model",
            outcome,
            tally.completion_tokens,
            tally.elapsed_ms(),
        )


@asynccontextmanager
async def entered_by(
    deadline: float | None, lease: AbstractAsyncContextManager[Provider]
) -> AsyncIterator[Provider]:
    """``lease``, entered before ``deadline``; it may be held beyond."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(seconds_left(deadline)):
                provider = await stack.enter_async_context(lease)
        except TimeoutError:
            raise deadline_exceeded("while the model was loaded") from None
        yield provider


@asynccontextmanager
async def time_limit(timeout_ms: int, deadline: float | None, missing: str) -> AsyncIterator[None]:
    """The shorter of the timeout and what the deadline leaves; TimeLimitError past it."""
    patience, left = timeout_ms / 1000.0, seconds_left(deadline)
    try:
        async with asyncio.timeout(patience if left is None else min(patience, left)):
            yield
    except TimeoutError:
        if left is not None and left <= patience:
            raise deadline_exceeded("before the answer was complete") from None
        message = f"{missing} for {timeout_ms} ms (performance.timeout)"
        raise TimeLimitError(message) from None


def seconds_left(deadline: float | None) -> float | None:
    """Seconds until ``deadline``."""
    return None if deadline is None else deadline - time.monotonic()


def deadline_exceeded(when: str) -> TimeLimitError:
    """The error of a deadline that has passed."""
    return TimeLimitError(f"the deadline passed {when}")


def call_of(passage: Passage, defaults: ModelConfig) -> Call:
    """What the provider is asked."""
    context = passage.context
    request = with_defaults(passage.request, defaults)
    return Call(passage.request_id, request, context.caller, context.deadline, passage.hold)


SAMPLING_DEFAULTS = frozenset(field.name for field in fields(ModelConfig)) & frozenset(
    field.name for field in fields(Request)
)


def with_defaults(request: Request, defaults: ModelConfig) -> Request:
    """``request`` with the model's values where it says nothing."""
    changes: Mapping[str, Any] = {
        name: getattr(defaults, name)
        for name in SAMPLING_DEFAULTS
        if getattr(request, name) in (None, ())
    }
    return replace(request, **changes)


def told(event: ProviderEvent, passage: Passage) -> Event:
    """A provider's event as the caller sees it, entered in the account."""
    tally = passage.tally
    match event:
        case Accepted():
            tally.provider = event.metrics
            return Started(passage.request_id, tally.model, event.prompt_logprobs)
        case Delta():
            sequence = tally.count(len(event.token_ids))
            return Chunk(event.text, event.token_ids, sequence, event.logprobs)
        case Finished():
            tally.provider = event.metrics
            return Complete(event.finish_reason, tally.model, tally.metrics())
