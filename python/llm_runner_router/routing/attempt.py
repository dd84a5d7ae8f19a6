"""One try of one model: its lease, its stream, its time limits and its account."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, contextmanager
from dataclasses import dataclass

from llm_runner_router.decision import SUCCEEDED, Attempt
from llm_runner_router.errors import (
    EngineError,
    ProviderFailedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    shorten,
)
from llm_runner_router.providers.base import (
    Accepted,
    AnswerEvent,
    Call,
    Finished,
    Progress,
    Provider,
    ProviderEvent,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.breaker import Trial
from llm_runner_router.routing.delivery import Delivery
from llm_runner_router.routing.failures import is_fault
from llm_runner_router.routing.means import Means
from llm_runner_router.tally import Tally
from llm_runner_router.time_limits import Patience, entered_by, is_over, time_limit
from llm_runner_router.token_estimate import answer_tokens
from llm_runner_router.types import Metrics, ModelFormat

CANCELLED = "CANCELLED"
"""The outcome of an attempt that its consumer has left, or that another one has overtaken."""

UNEXPECTED = "INTERNAL"
"""The outcome of an attempt that ended in an error which is none of ours."""


@dataclass(frozen=True, slots=True)
class Target:
    """Who is asked what. ``hedged``: beside another attempt that takes too long to begin.

    ``patience`` is how long the model may take to be ready; ``None``: as long as the request may.
    """

    record: ModelRecord
    call: Call
    prompt_tokens: int
    hedged: bool = False
    patience: Patience | None = None


class RunningAttempt:
    """One try of one model.

    First ``begin``, then the rest of ``events``; ``close`` in any case. Whatever way it ends, its
    lease and its load are given back, its trial learns the result, and the tally and the
    measurements get their entries, all before Finished is handed on.
    """

    def __init__(self, means: Means, trial: Trial, target: Target, tally: Tally) -> None:
        self.target = target
        self.accepted: Accepted | None = None
        self.error: RouterError | None = None
        self.events = self._events()
        self._means = means
        self._trial = trial
        self._tally = tally
        self._overtaken = False
        self._delivery = Delivery(target.record, target.call.request)
        self._started_ms = tally.elapsed_ms()
        self._asked: float | None = None
        self._told = 0.0

    @property
    def model(self) -> str:
        """The id of the model."""
        return self.target.record.id

    @property
    def asked(self) -> bool:
        """Whether the provider got the request."""
        return self._asked is not None

    async def begin(self) -> bool:
        """Whether it was accepted; ``error`` says why not. Other exceptions are raised."""
        try:
            event = await anext(self.events)
        except RouterError as error:
            self.error = error
            return False
        self.accepted = event if isinstance(event, Accepted) else None
        return True

    async def close(self) -> None:
        """End it now, if it has not ended yet."""
        await self.events.aclose()
        self._trial.abandoned()  # where it has not even begun

    def overtake(self) -> None:
        """Another attempt that began later was accepted before this one."""
        self._overtaken = True

    def metrics(self) -> Metrics:
        """What has been delivered and is to be paid."""
        return self._delivery.metrics()

    async def _events(self) -> AsyncGenerator[AnswerEvent, None]:
        """Accepted, any number of Delta, and Finished once everything else is over."""
        call, means = self.target.call, self._means
        tokens = self.target.prompt_tokens + answer_tokens(call.request)
        with self._accounted(), means.loads.carrying(self.model, tokens):
            lease = means.residency.lease(self.model)
            patience = self.target.patience
            async with entered_by(call.deadline, lease, means.clock, patience) as provider:
                with keeping(provider, call):
                    async with aclosing(provider.generate(call)) as stream:
                        self._asked = self._told = means.clock()
                        event = await self._next(stream)
                        while not isinstance(event, Finished):
                            yield event
                            event = await self._next(stream)
        yield event

    async def _next(self, stream: AsyncGenerator[ProviderEvent, None]) -> AnswerEvent:
        """The next event of the answer; signs of life are counted and go no further."""
        while isinstance(event := await self._received(stream), Progress):
            pass
        return event

    async def _received(self, stream: AsyncGenerator[ProviderEvent, None]) -> ProviderEvent:
        """The next event in time, counted. Only the time of the provider is limited."""
        clock, delivery = self._means.clock, self._delivery
        asked = clock()
        async with self._limit():
            event = await anext(stream, None)
        if event is None or self._is_misplaced(event):
            raise self._broken(event)
        held_up, self._told = asked - self._told, clock()
        delivery.note(event, waited=self._told - asked, held_up=held_up)
        if isinstance(event, Accepted):
            self._trial.accepted()
        return event

    def _is_misplaced(self, event: ProviderEvent) -> bool:
        """Whether it is a second Accepted, or a part of the answer before the first."""
        if isinstance(event, Progress):
            return False
        return isinstance(event, Accepted) == self._delivery.begun

    def _limit(self) -> AbstractAsyncContextManager[None]:
        """The time until the next event."""
        call, clock = self.target.call, self._means.clock
        limits = self._means.config()
        usual = Patience(limits.performance.timeout)
        if self._delivery.alive:
            return time_limit(usual, call.deadline, "no new token", clock)
        wish = call.request.routing.first_token_timeout_ms or limits.routing.first_token_timeout
        if not wish:
            return time_limit(usual, call.deadline, "no first token", clock)
        first = Patience(wish, "the time limit to the first token")
        return time_limit(first, call.deadline, "no first token", clock, self._asked)

    def _is_hurried(self) -> bool:
        """Whether the caller allows the first token less time than the service does."""
        limits = self._means.config()
        usual = limits.routing.first_token_timeout or limits.performance.timeout
        wish = self.target.call.request.routing.first_token_timeout_ms
        return wish is not None and wish < usual and not self._delivery.alive

    def _is_to_blame(self, error: BaseException | None) -> bool:
        """Whether the model is. That it did not keep to a limit that is not its own shows nothing.

        Were it otherwise, a caller could have a model taken from all others, by short limits.
        """
        if isinstance(error, TimeLimitError) and (not self.asked or self._is_hurried()):
            return False
        return is_fault(error) and not is_over(self.target.call.deadline, self._means.clock)

    def _broken(self, event: ProviderEvent | None) -> RouterError:
        """The error of a stream that does not keep to Accepted, Delta …, Finished."""
        what = "ended without a finish" if event is None else "sent its events out of order"
        message = f"the provider of {shorten(self.model)} {what}"
        api = self.target.record.format is ModelFormat.API
        return ProviderFailedError(message) if api else EngineError(message)

    @contextmanager
    def _accounted(self) -> Iterator[None]:
        """Enters the result everywhere, whichever it is."""
        found: BaseException | None = None
        try:
            yield
        except BaseException as error:
            found = error
            raise
        finally:
            fault = self._is_to_blame(found)
            self._conclude(found, fault=fault)
            self._measure(found, fault=fault)
            self._tally.attempts.append(self._entry(found))

    def _conclude(self, error: BaseException | None, *, fault: bool) -> None:
        if error is None:
            self._trial.succeeded()
        elif fault:
            self._trial.failed()
        elif isinstance(error, RateLimitError):
            self._trial.postponed(error.retry_after)
        else:
            self._trial.abandoned()

    def _measure(self, error: BaseException | None, *, fault: bool) -> None:
        """What the attempt shows of its model.

        One that a hedge has overtaken would have taken longer still: were its time left out, the
        percentile that hedges begin at would fall with each of them.
        """
        delivery = self._delivery
        first, token = delivery.first_token_ms(), delivery.token_ms()
        if first is None and self._overtaken and self._asked is not None:
            first = (self._means.clock() - self._asked) * 1000.0
        if first is None and error is not None and not fault:
            return
        self._means.measurements.observe(
            self.model,
            self.target.prompt_tokens,
            first_token_ms=first,
            token_ms=token,
            failed=fault,
        )

    def _entry(self, error: BaseException | None) -> Attempt:
        """The attempt as the trace shows it."""
        outcome, message = result_of(error)
        return Attempt(
            model=self.model,
            provider=self.target.record.provider or "local",
            outcome=outcome,
            message=message,
            started_ms=self._started_ms,
            duration_ms=self._tally.elapsed_ms() - self._started_ms,
            cost_usd=self._means.prices.cost(self.target.record, self.metrics()),
            hedged=self.target.hedged,
        )


@contextmanager
def keeping(provider: Provider, call: Call) -> Iterator[None]:
    """Of a call with ``hold`` only a finished answer may be kept: what else there is, is let go."""
    try:
        yield
    except BaseException:
        if call.hold:
            provider.release(call.request_id)
        raise


def result_of(error: BaseException | None) -> tuple[str, str]:
    """The outcome and the message of an attempt that ended so."""
    if error is None:
        return SUCCEEDED, ""
    if isinstance(error, RouterError):
        return error.reason, error.message
    return (UNEXPECTED if isinstance(error, Exception) else CANCELLED), ""
