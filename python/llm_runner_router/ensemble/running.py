"""Members asked side by side, and the answer that is chosen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from llm_runner_router.backend import CallContext
from llm_runner_router.ensemble.checks import validate_ensemble
from llm_runner_router.ensemble.judge import picked, question_to
from llm_runner_router.ensemble.votes import Choice, only, vote
from llm_runner_router.ensembles import (
    Aggregation,
    EnsembleRequest,
    EnsembleResponse,
    Member,
    MemberResult,
)
from llm_runner_router.errors import RouterError, UnavailableError
from llm_runner_router.types import Metrics, Request, Response

Answer = Callable[[Request, CallContext], Awaitable[Response]]


@dataclass(slots=True)
class Outcomes:
    """What has become of the members, by their places; answers stand in the order they came."""

    answers: dict[int, Response] = field(default_factory=dict)
    errors: dict[int, RouterError] = field(default_factory=dict)


class Ensemble:
    """Runs ensembles. ``answer`` answers one request whole, as any other is, or raises RouterError.

    Belongs to one event loop. ``clock`` tells seconds.
    """

    def __init__(self, answer: Answer, clock: Callable[[], float] = time.monotonic) -> None:
        self._answer = answer
        self._clock = clock

    async def run(self, ensemble: EnsembleRequest, context: CallContext) -> EnsembleResponse:
        """Ask all members at once and choose. Cancelling it cancels them all.

        A member answers itself or fails: no fallback of the request speaks for it, as another
        member might vote twice then. Members that are aliases have their own models, and those
        alone.
        With FIRST those that still run are cancelled as soon as ``minimum`` have answered; what
        they had cost stands in the usage, not in the metrics here. With too few answers it raises
        the members' error where all have the same reason, else UnavailableError naming each. The
        judge's failure is the whole's, unless one member alone has answered.
        """
        validate_ensemble(ensemble)
        begun = self._clock()
        outcomes = await self._ask(ensemble, context)
        if len(outcomes.answers) < ensemble.minimum:
            raise too_few(ensemble, outcomes)
        choice, verdict = await self._choose(ensemble, context, outcomes.answers)
        parts = [response.metrics for response in outcomes.answers.values()]
        parts += [verdict.metrics] if verdict is not None else []
        chosen = outcomes.answers[choice.chosen]
        metrics = added(chosen.metrics, parts, (self._clock() - begun) * 1000.0)
        return EnsembleResponse(
            replace(chosen, metrics=metrics), results(ensemble.members, outcomes, choice)
        )

    async def _ask(self, ensemble: EnsembleRequest, context: CallContext) -> Outcomes:
        """Each member, until all have ended, or enough with FIRST."""
        first = ensemble.aggregation is Aggregation.FIRST
        wanted = ensemble.minimum if first else len(ensemble.members)
        outcomes = Outcomes()
        requests = [request_of(ensemble.request, member) for member in ensemble.members]
        async with running(self._answered(request, context) for request in requests) as tasks:
            pending = set(tasks)
            while pending and len(outcomes.answers) < wanted:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for place in sorted(map(tasks.index, done)):
                    note(outcomes, place, tasks[place].result())
        return outcomes

    async def _answered(self, request: Request, context: CallContext) -> Response | RouterError:
        """The answer of one member, or its error."""
        try:
            return await self._answer(request, context)
        except RouterError as error:
            return error

    async def _choose(
        self, ensemble: EnsembleRequest, context: CallContext, answers: Mapping[int, Response]
    ) -> tuple[Choice, Response | None]:
        """The choice, and what the judge said where one was asked."""
        if ensemble.aggregation is Aggregation.FIRST or len(answers) == 1:
            return only(next(iter(answers)), answers), None
        if ensemble.judge is None or ensemble.aggregation is not Aggregation.BEST_OF:
            return vote(ensemble.members, answers, ensemble.aggregation), None
        verdict = await self._answer(
            question_to(ensemble.judge, ensemble.request, answers), context
        )
        return only(picked(verdict, answers), answers), verdict


def request_of(request: Request, member: Member) -> Request:
    """What ``member`` is asked: ``request`` without its fallbacks."""
    routing = replace(request.routing, fallbacks=(), fallback_to_capable=False)
    return replace(request, model=member.model, routing=routing)


@asynccontextmanager
async def running(
    answers: Iterable[Coroutine[Any, Any, Response | RouterError]],
) -> AsyncIterator[Sequence[asyncio.Task[Response | RouterError]]]:
    """Tasks, none of which outlives the block."""
    tasks = [asyncio.create_task(answer) for answer in answers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def note(outcomes: Outcomes, place: int, outcome: Response | RouterError) -> None:
    """Enter what became of a member."""
    if isinstance(outcome, RouterError):
        outcomes.errors[place] = outcome
    else:
        outcomes.answers[place] = outcome


def too_few(ensemble: EnsembleRequest, outcomes: Outcomes) -> RouterError:
    """The error of the whole: what the members agree on, else that each failed in its own way."""
    errors = [outcomes.errors[place] for place in sorted(outcomes.errors)]
    if not outcomes.answers and len({error.reason for error in errors}) == 1:
        return errors[0]
    reasons = ", ".join(
        f"{ensemble.members[place].model}: {outcomes.errors[place].reason}"
        for place in sorted(outcomes.errors)
    )
    count = f"{len(outcomes.answers)} of {len(ensemble.members)} members answered"
    return UnavailableError(f"{count}, {ensemble.minimum} must ({reasons})")


def added(chosen: Metrics, parts: Sequence[Metrics], duration_ms: float) -> Metrics:
    """Tokens and cost of all ``parts`` together, the waiting of ``chosen``, the whole's time."""
    return replace(
        chosen,
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        cached_tokens=sum(part.cached_tokens for part in parts),
        cache_write_tokens=sum(part.cache_write_tokens for part in parts),
        reasoning_tokens=sum(part.reasoning_tokens for part in parts),
        cost_usd=sum(part.cost_usd for part in parts),
        saved_cost_usd=sum(part.saved_cost_usd for part in parts),
        duration_ms=duration_ms,
    )


def results(
    members: Sequence[Member], outcomes: Outcomes, choice: Choice
) -> tuple[MemberResult, ...]:
    """Every member's answer or error, in their order."""
    cancelled = UnavailableError("cancelled: other members had answered")
    return tuple(
        MemberResult(member.model, outcomes.answers[place], None, choice.scores[place])
        if place in outcomes.answers
        else MemberResult(member.model, error=outcomes.errors.get(place, cancelled))
        for place, member in enumerate(members)
    )
