"""The way from a plan to the attempt that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llm_runner_router.providers.base import Call
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.agenda import Agenda, Turn
from llm_runner_router.routing.attempt import RunningAttempt, Target
from llm_runner_router.routing.hedge import Race
from llm_runner_router.routing.means import Means
from llm_runner_router.routing.plan import Plan
from llm_runner_router.tally import Tally
from llm_runner_router.time_limits import Patience, is_over


class Search:
    """Tries the models of one plan until one of them is accepted."""

    def __init__(
        self, means: Means, plan: Plan, call_for: Callable[[ModelRecord], Call], tally: Tally
    ) -> None:
        self._means = means
        self._plan = plan
        self._call_for = call_for
        self._tally = tally
        self._config = means.config()
        call = call_for(plan.order[0])
        self._wishes, self._deadline = call.request.routing, call.deadline
        self._turns: dict[RunningAttempt, Turn] = {}
        routing = self._config.routing
        self._agenda = Agenda(
            plan.order,
            self._wishes.max_attempts or routing.max_attempts,
            routing.retry_backoff / 1000.0,
            means.chance,
        )

    async def accepted(self) -> RunningAttempt:
        """An attempt that has begun to answer, which the caller closes; else the error of all."""
        while (turn := self._agenda.next()) is not None:
            await self._wait_for(turn)
            attempt = self._attempt(turn)
            if attempt is not None and (found := await self._run(attempt)) is not None:
                return found
        raise self._agenda.error()

    async def _wait_for(self, turn: Turn) -> None:
        """Sleep until it is the model's turn, but not for longer than the request may stand still.

        Where that would be too long, the error of what was tried is raised at once.
        """
        now = self._means.clock()
        if turn.ready <= now:
            return
        latest = now + self._config.performance.timeout / 1000.0
        if turn.ready > latest or (self._deadline is not None and turn.ready >= self._deadline):
            raise self._agenda.error()
        await asyncio.sleep(turn.ready - now)

    async def _run(self, attempt: RunningAttempt) -> RunningAttempt | None:
        """``attempt`` if it is accepted, or its hedge; notes what has failed."""
        patience = self._patience(attempt)
        if patience is None:
            tried, found = [attempt], attempt if await attempt.begin() else None
        else:
            race = Race(attempt, patience, self._hedge)
            tried, found = race.attempts, await race.winner()
        if found is None:
            for failed in tried:
                self._failed(failed)
        return found

    def _failed(self, attempt: RunningAttempt) -> None:
        """Plan what follows a failure; raises its error past the deadline."""
        error = attempt.error
        if error is None:
            return
        clock = self._means.clock
        self._agenda.failed(self._turns[attempt], error, clock(), asked=attempt.asked)
        if is_over(self._deadline, clock):
            raise error

    def _patience(self, attempt: RunningAttempt) -> float | None:
        """Seconds until the first attempt gets a hedge; ``None``: it gets none."""
        wish = self._wishes.hedge
        if len(self._turns) > 1 or not (self._config.routing.hedge if wish is None else wish):
            return None
        p95 = self._means.measurements.first_token_p95(attempt.model, self._plan.prompt_tokens)
        return None if p95 is None else p95 / 1000.0

    def _hedge(self) -> RunningAttempt | None:
        """An attempt on the next model that may be tried."""
        while (turn := self._agenda.next_first()) is not None:
            if (attempt := self._attempt(turn, hedged=True)) is not None:
                return attempt
        return None

    def _attempt(self, turn: Turn, *, hedged: bool = False) -> RunningAttempt | None:
        """An attempt that is about to begin; ``None`` where the model's circuit is open."""
        record, tally = turn.record, self._tally
        call = self._call_for(record)
        trial = self._means.breakers.begin(record.id)
        if trial is None:
            return None
        self._agenda.spend()
        if not hedged:
            tally.model = record.id
        target = Target(record, call, self._plan.prompt_tokens, hedged, self._readiness())
        attempt = RunningAttempt(self._means, trial, target, tally)
        self._turns[attempt] = turn
        return attempt

    def _readiness(self) -> Patience | None:
        """How long a model may take to be ready, be it that it loads or that it leaves memory.

        Who has nobody else to ask waits for as long as the request may take.
        """
        if not any(map(self._means.breakers.allows, self._agenda.untried)):
            return None
        return Patience(self._config.performance.timeout)
