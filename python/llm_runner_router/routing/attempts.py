"""The answer to a request, whatever fails on the way."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from random import Random

from llm_runner_router.config.tree import Config
from llm_runner_router.providers.base import AnswerEvent, Call, Delta
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.breaker import Breakers
from llm_runner_router.routing.delivery import delta_tokens
from llm_runner_router.routing.means import Leases, Means, PriceList, Work
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.routing.plan import Plan
from llm_runner_router.routing.search import Search
from llm_runner_router.tally import Tally
from llm_runner_router.time_limits import Clock


class Attempts:
    """Carries out plans. Belongs to one event loop, whose time ``clock`` tells.

    Until a model has begun to answer, another one may be tried in its place, or the same one again.
    From then on nothing is: an error ends the stream.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what an attempt needs of the service, each by its name
        self,
        residency: Leases,
        breakers: Breakers,
        measurements: Measurements,
        loads: Work,
        prices: PriceList,
        config: Callable[[], Config],
        *,
        clock: Clock = time.monotonic,
        random: Random,
    ) -> None:
        self._means = Means(residency, breakers, measurements, loads, prices, config, clock, random)

    async def answer(
        self, plan: Plan, call_for: Callable[[ModelRecord], Call], tally: Tally
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Accepted, any number of Delta, then Finished, of one model; or a RouterError.

        ``tally`` learns which model answers and what it reports, and has every attempt in it when
        Finished comes, when an error is raised, and when this is closed early. Closing it, or
        cancelling the task that consumes it, ends all attempts at once.
        """
        attempt = await Search(self._means, plan, call_for, tally).accepted()
        try:
            tally.model, tally.provider = attempt.model, attempt.metrics()
            if attempt.accepted is not None:
                yield attempt.accepted
            async for event in attempt.events:
                if isinstance(event, Delta):
                    tally.count(delta_tokens(event))
                else:
                    tally.provider = attempt.metrics()
                yield event
        finally:
            await attempt.close()
            tally.provider = attempt.metrics()
