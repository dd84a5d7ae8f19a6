"""The cache of answers: what it does for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from llm_runner_router.cache.answer import CachedAnswer, Recording, decode, encode, free
from llm_runner_router.cache.digests import Digests, Locate, Running, at_its_source, itself
from llm_runner_router.cache.flights import Compute, Flights
from llm_runner_router.cache.key import cache_key, deterministic
from llm_runner_router.cache.store import AnswerStore
from llm_runner_router.candidates import Candidates
from llm_runner_router.config.tree import Config
from llm_runner_router.decision import CacheState
from llm_runner_router.preferences import CacheMode
from llm_runner_router.time_limits import bounded
from llm_runner_router.types import CacheCounts, Complete, Event, Request, Started


@dataclass(frozen=True, slots=True)
class Query:
    """A request whose template has been filled in, and who may answer it.

    ``deadline`` is a time of ``time.monotonic()``. ``alone``: its computation is shared with
    nobody, because it leaves something behind that is its own.
    """

    request_id: str
    request: Request
    candidates: Candidates
    deadline: float | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A query that may be answered by what is kept: under which key, and for how many seconds."""

    query: Query
    key: str
    ttl: int

    @property
    def request_id(self) -> str:
        """The id of the request."""
        return self.query.request_id

    def may_be_of(self, model: str) -> bool:
        """Whether ``model`` may answer."""
        return any(record.id == model for record in self.query.candidates.records)


class AnswerCache:
    """Belongs to one event loop. The owner closes it; the store is closed with it.

    ``locate`` tells where the files of a model lie: others at their places are another model.
    ``running`` gives the record that a model was loaded as, where it has another one by now.
    """

    def __init__(
        self,
        store: AnswerStore,
        flights: Flights,
        config: Callable[[], Config],
        locate: Locate = at_its_source,
        running: Running = itself,
    ) -> None:
        self._store = store
        self._flights = flights
        self._config = config
        self._digests = Digests(locate, running)
        self._counts = CacheCounts()

    def counts(self) -> CacheCounts:
        """What was done so far."""
        return self._counts

    async def close(self) -> None:
        """Cancel what is computed and close the store."""
        await self._flights.close()
        await self._store.close()

    def answer(self, query: Query, compute: Compute) -> AsyncGenerator[Event, None]:
        """The events of ``compute``, or the same out of the cache; Complete says which.

        An answer that was not computed for this request carries its id, no decision, no attempts,
        no times and no cost: whoever asks adds what is its own. Whoever asks ends what takes
        longer than its deadline: work that is shared may go on for others. Where the cache is off
        this is ``compute(query.deadline)`` itself.

        A kept answer keeps the choice that was made for it. A strategy that would choose anew each
        time, such as ``weighted`` or ``round-robin``, is not asked again until it has expired.
        """
        ttl = self._ttl(query)
        if ttl == 0:
            return compute(query.deadline)
        key = cache_key(query.request, query.candidates, self._digests)
        question = Question(query, key, ttl)
        if query.request.cache.mode is CacheMode.REFRESH:
            return self._refreshed(question, compute)
        return self._looked_up(question, compute)

    def _ttl(self, query: Query) -> int:
        """Seconds that the answer is kept; 0: the cache has no part in it."""
        config, control = self._config().cache, query.request.cache
        if not config.enabled or control.mode is CacheMode.BYPASS:
            return 0
        records = query.candidates.records
        if not control.any_sampling and not deterministic(query.request, records):
            return 0
        return config.ttl if control.ttl is None else control.ttl

    async def _refreshed(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        computed = self._recorded(question, compute, question.query.deadline)
        async with aclosing(computed) as events:
            async for event in events:
                yield stamped(event, CacheState.REFRESHED)

    async def _looked_up(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        found = await self._found(question)
        if found is not None:
            self._count(hits=1, saved_cost_usd=found.metrics.cost_usd)
            for event in found.events(question.request_id, CacheState.HIT):
                yield event
            return
        async with aclosing(self._computed(question, compute)) as events:
            async for event in events:
                yield event

    async def _computed(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        """The events of a computation for this request, or of an equal one that is under way."""
        deadline, missed = question.query.deadline, partial(self._missed, question, compute)
        if question.query.alone:
            async with aclosing(missed(deadline)) as own:
                async for event in own:
                    yield event
            return
        events = self._flights.join(question.key, missed, deadline)
        limited = events if deadline is None else bounded(deadline, events)
        async with aclosing(limited) as shared:
            async for event, is_own in shared:
                yield event if is_own else self._shared(event, question)

    async def _missed(
        self, question: Question, compute: Compute, deadline: float | None
    ) -> AsyncGenerator[Event, None]:
        self._count(misses=1)
        async with aclosing(self._recorded(question, compute, deadline)) as events:
            async for event in events:
                yield stamped(event, CacheState.MISS)

    def _shared(self, event: Event, question: Question) -> Event:
        """An event of another's computation, as one of this request."""
        match event:
            case Started():
                self._count(coalesced=1)
                return replace(event, request_id=question.request_id, decision=None)
            case Complete():
                self._count(saved_cost_usd=event.metrics.cost_usd)
                metrics = free(event.metrics)
                return Complete(
                    event.finish_reason, event.model_used, metrics, cache=CacheState.COALESCED
                )
            case _:
                return event

    async def _recorded(
        self, question: Question, compute: Compute, deadline: float | None
    ) -> AsyncGenerator[Event, None]:
        """The events of ``compute``; a whole answer is kept before its last event is out."""
        recording = Recording()
        async with aclosing(recording.of(compute(deadline))) as events:
            async for event in events:
                if recording.answer is not None:
                    await self._keep(question, recording.answer)
                yield event

    async def _found(self, question: Question) -> CachedAnswer | None:
        value = await self._store.get(question.key)
        answer = None if value is None else decode(value)
        return answer if answer is not None and question.may_be_of(answer.model) else None

    async def _keep(self, question: Question, answer: CachedAnswer) -> None:
        value = encode(answer)
        if value is not None:
            await self._store.put(question.key, value, question.ttl)

    def _count(
        self, *, hits: int = 0, misses: int = 0, coalesced: int = 0, saved_cost_usd: float = 0.0
    ) -> None:
        so_far = self._counts
        self._counts = CacheCounts(
            so_far.hits + hits,
            so_far.misses + misses,
            so_far.coalesced + coalesced,
            so_far.saved_cost_usd + saved_cost_usd,
        )


def stamped(event: Event, state: CacheState) -> Event:
    """``event`` with what the cache did, where it is the last."""
    return replace(event, cache=state) if isinstance(event, Complete) else event
