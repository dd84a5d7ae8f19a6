"""The cache of answers: what it does for each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from llm_runner_router.cache.answer import CachedAnswer, Recording, decode, encode, free
from llm_runner_router.cache.flights import Compute, Flights
from llm_runner_router.cache.key import cache_key, deterministic
from llm_runner_router.cache.store import AnswerStore
from llm_runner_router.config import Config
from llm_runner_router.decision import CacheState
from llm_runner_router.preferences import CacheMode
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import CacheCounts, Complete, Event, Request, Started


@dataclass(frozen=True, slots=True)
class Question:
    """One request that may be answered by what is kept: its own id, the key, and how long."""

    request_id: str
    key: str
    ttl: int
    models: frozenset[str]


class AnswerCache:
    """Belongs to one event loop. The owner closes it; the store is closed with it."""

    def __init__(self, store: AnswerStore, flights: Flights, config: Callable[[], Config]) -> None:
        self._store = store
        self._flights = flights
        self._config = config
        self._counts = CacheCounts()

    def counts(self) -> CacheCounts:
        """What was done so far."""
        return self._counts

    async def close(self) -> None:
        """Cancel what is computed and close the store."""
        await self._flights.close()
        await self._store.close()

    def answer(
        self,
        request_id: str,
        request: Request,
        candidates: Sequence[ModelRecord],
        compute: Compute,
    ) -> AsyncGenerator[Event, None]:
        """The events of ``compute``, or the same out of the cache; Complete says which.

        ``request`` is one whose template has been filled in; ``candidates`` are those that may
        answer. An answer that was not computed for this request carries its id, no decision, no
        attempts, no times and no cost: whoever asks adds what is its own. A request that waits
        for another's computation has no time limit here. Where the cache is off this is
        ``compute()`` itself.
        """
        ttl = self._ttl(request, candidates)
        if ttl == 0:
            return compute()
        models = frozenset(record.id for record in candidates)
        question = Question(request_id, cache_key(request, candidates), ttl, models)
        if request.cache.mode is CacheMode.REFRESH:
            return self._refreshed(question, compute)
        return self._looked_up(question, compute)

    def _ttl(self, request: Request, candidates: Sequence[ModelRecord]) -> int:
        """Seconds that the answer is kept; 0: the cache has no part in it."""
        config, control = self._config().cache, request.cache
        if not config.enabled or control.mode is CacheMode.BYPASS:
            return 0
        if request.template is not None:  # the text behind its id may change
            return 0
        if not control.any_sampling and not deterministic(request, candidates):
            return 0
        return config.ttl if control.ttl is None else control.ttl

    async def _refreshed(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        async with aclosing(self._recorded(question, compute)) as events:
            async for event in events:
                yield stamped(event, CacheState.REFRESHED)

    async def _looked_up(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        found = await self._found(question)
        if found is not None:
            self._count(hits=1, saved_cost_usd=found.metrics.cost_usd)
            for event in found.events(question.request_id, CacheState.HIT):
                yield event
            return
        flights = self._flights.join(question.key, lambda: self._missed(question, compute))
        async with aclosing(flights) as events:
            async for event, own in events:
                yield event if own else self._shared(event, question)

    async def _missed(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        self._count(misses=1)
        async with aclosing(self._recorded(question, compute)) as events:
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

    async def _recorded(self, question: Question, compute: Compute) -> AsyncGenerator[Event, None]:
        """The events of ``compute``; a whole answer is kept before its last event is out."""
        recording = Recording()
        async with aclosing(recording.of(compute())) as events:
            async for event in events:
                if recording.answer is not None:
                    await self._keep(question, recording.answer)
                yield event

    async def _found(self, question: Question) -> CachedAnswer | None:
        value = await self._store.get(question.key)
        answer = None if value is None else decode(value)
        return answer if answer is not None and answer.model in question.models else None

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
