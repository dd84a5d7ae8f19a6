"""The whole path of a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, replace
from functools import partial

from llm_runner_router.admission import Admission, Ticket
from llm_runner_router.backend import CallContext
from llm_runner_router.cache.cache import AnswerCache, Query
from llm_runner_router.config.tree import Config
from llm_runner_router.decision import CacheState, Decision
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.passage import Passage, logged
from llm_runner_router.prompt.prompt_template import applied
from llm_runner_router.providers.base import Accepted, AnswerEvent, Delta, Finished
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.routing.attempts import Attempts
from llm_runner_router.routing.budgets import Budgets
from llm_runner_router.routing.plan import Plan
from llm_runner_router.routing.router import ModelRouter
from llm_runner_router.settlement import Answered, Settlement
from llm_runner_router.time_limits import Patience, time_limit, within
from llm_runner_router.token_estimate import prompt_tokens
from llm_runner_router.types import Chunk, Complete, Event, Request, Started
from llm_runner_router.validation.request import validate_request

NOT_COMPUTED = (CacheState.HIT, CacheState.COALESCED)


@dataclass(frozen=True, slots=True)
class Stages:
    """What a request passes, in this order."""

    store: RegistryStore
    budgets: Budgets
    admission: Admission
    cache: AnswerCache
    router: ModelRouter
    attempts: Attempts
    settlement: Settlement
    residency: Residency


class Pipeline:
    """Answers requests. Belongs to one event loop; ``config`` tells the limits of the moment."""

    def __init__(self, stages: Stages, config: Callable[[], Config]) -> None:
        self._stages = stages
        self._config = config

    async def run(self, passage: Passage) -> AsyncGenerator[Event, None]:
        """Started, Chunk …, Complete; or a RouterError. Closing it early cancels the work."""
        stages, caller, tally = self._stages, passage.context.caller, passage.tally
        with logged(passage) as answered:
            request = self.prepared(passage.request)
            stages.router.choose(request.model)
            stages.budgets.check(caller)
            ticket = Ticket(
                caller, request.priority, passage.context.deadline, prompt_tokens(request)
            )
            async with stages.admission.permit(ticket) as permit:
                tally.admission_ms = permit.waited * 1000.0
                try:
                    stages.budgets.check(caller)  # others have spent meanwhile
                    async with aclosing(self._answered(passage, request)) as events:
                        async for event in events:
                            if isinstance(event, Complete):
                                answered()
                            yield event
                finally:
                    permit.settle(tally.metrics().total_tokens)

    def route(self, request: Request, context: CallContext) -> Decision:
        """The decision that ``run`` would make now, with every candidate and exclusion."""
        ready = self.prepared(request)
        return self._plan(ready, request, context.caller, explain=True).decision

    def release(self, model: str, request_id: str) -> None:
        """Let go of the KV that a passage with ``hold`` has left behind."""
        provider = self._stages.residency.provider(model)
        if provider is not None:
            provider.release(request_id)

    def time_limit(self, deadline: float | None, missing: str) -> AbstractAsyncContextManager[None]:
        """The time that a request may go without getting on; ``missing`` says what it lacks."""
        return time_limit(Patience(self._config().performance.timeout), deadline, missing)

    def prepared(self, request: Request) -> Request:
        """``request`` once it is checked, with the text of its template as the prompt."""
        validate_request(request)
        if request.template is None:
            return request
        template = self._stages.store.template(request.template.id)
        if template is None:
            raise ResourceNotFoundError("template", request.template.id)
        ready = applied(request, template)
        validate_request(ready)
        return ready

    def _plan(
        self,
        ready: Request,
        asked: Request,
        caller: str,
        *,
        prefer: str = "",
        explain: bool = False,
    ) -> Plan:
        """Which models may answer; those that the template does not suit are left out."""
        wanted = with_template(ready, asked)
        return self._stages.router.plan(wanted, caller, prefer=prefer, explain=explain)

    async def _answered(self, passage: Passage, request: Request) -> AsyncGenerator[Event, None]:
        """The answer, computed now or before, by the deadline of whoever asks."""
        stages, context = self._stages, passage.context
        wanted = with_template(request, passage.request)
        candidates = stages.router.candidates(wanted, context.caller)
        query = Query(passage.request_id, request, candidates, context.deadline, alone=passage.hold)

        def compute(deadline: float | None) -> AsyncGenerator[Event, None]:
            return self._computed(passage.until(deadline), request)

        events = stages.cache.answer(query, compute)
        async with aclosing(within(context.deadline, events)) as answer:
            async for event in answer:
                yield self._accounted(event, passage)

    def _accounted(self, event: Event, passage: Passage) -> Event:
        """``event`` with what only this request knows."""
        tally = passage.tally
        match event:
            case Started():
                return begun(event, passage)
            case Chunk() if not tally.first_token_ms:
                tally.first_token_ms = tally.elapsed_ms()
            case Complete():
                return self._completed(event, passage)
        return event

    def _completed(self, event: Complete, passage: Passage) -> Complete:
        """The end of an answer, kept for feedback; what was saved is booked."""
        tally, caller, metrics = passage.tally, passage.context.caller, event.metrics
        model = event.model_used
        self._stages.settlement.remember(
            passage.request_id, Answered(caller, model, metrics.prompt_tokens)
        )
        if event.cache not in NOT_COMPUTED:
            return event
        if event.cache is CacheState.COALESCED:  # its tokens were computed for this request too
            tally.provider = metrics
        self._stages.settlement.book_saved(caller, model, metrics.saved_cost_usd)
        own = replace(
            metrics,
            duration_ms=tally.elapsed_ms(),
            queue_ms=tally.admission_ms,
            first_token_ms=tally.first_token_ms,
        )
        return replace(event, metrics=own)

    async def _computed(self, passage: Passage, request: Request) -> AsyncGenerator[Event, None]:
        """The answer of the models; its costs are booked on whatever way it ends."""
        stages, caller, tally = self._stages, passage.context.caller, passage.tally
        plan = self._plan(request, passage.request, caller, prefer=passage.prefer)
        answer = stages.attempts.answer(plan, partial(passage.call, request), tally)
        failed = booked = False
        try:
            async with aclosing(answer):
                async for event in answer:
                    if isinstance(event, Finished):
                        stages.router.served(tally.model, request)
                        stages.settlement.book(caller, tally, failed=False)
                        booked = True
                    yield told(event, passage, plan.decision)
        except Exception:
            failed = True
            raise
        finally:
            if not booked:
                stages.settlement.book(caller, tally, failed=failed)


def begun(event: Started, passage: Passage) -> Started:
    """The first event under the name that feedback takes; what the cache gives has no decision."""
    decision = event.decision
    if decision is None:
        passage.tally.model = event.model
        decision = Decision(event.model, strategy="cache")
    return replace(event, decision=decision, answer_id=passage.request_id)


def with_template(ready: Request, asked: Request) -> Request:
    """``ready``, whose prompt is made, with the template that ``asked`` names."""
    return ready if asked.template is None else replace(ready, template=asked.template)


def told(event: AnswerEvent, passage: Passage, decision: Decision) -> Event:
    """A provider's event as the caller sees it, from the account that the attempts keep."""
    tally = passage.tally
    match event:
        case Accepted():
            return Started(passage.request_id, tally.model, event.prompt_logprobs, decision)
        case Delta():
            sequence = tally.chunks - 1
            return Chunk(event.text, event.token_ids, sequence, event.logprobs, event.tool_calls)
        case Finished():
            return Complete(
                event.finish_reason, tally.model, tally.metrics(), tuple(tally.attempts)
            )
