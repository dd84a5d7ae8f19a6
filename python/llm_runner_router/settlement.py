"""What is kept of an answer once it is over: its costs, and whom feedback on it concerns."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from llm_runner_router.decision import SUCCEEDED
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.routing.attempt import CANCELLED
from llm_runner_router.tally import Tally
from llm_runner_router.types import Metrics

REMEMBERED = 10_000
"""Answers that feedback may still be given on; the oldest are forgotten first."""

NO_FAILURES = (SUCCEEDED, CANCELLED)
"""The outcomes of attempts that somebody else was merely faster than."""


class Ledger(Protocol):
    """Where usage is booked."""

    def record(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        """Add one request."""
        ...

    def record_attempt(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        """Add what a request took of a model that did not answer it."""
        ...


class Judged(Protocol):
    """Where feedback goes."""

    def reward(self, model: str, prompt_tokens: int, score: float) -> None:
        """An answer of ``model`` was this good."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """Who answered whom."""

    caller: str
    model: str
    prompt_tokens: int


class Settlement:
    """Books answers and remembers the latest of them. Belongs to one event loop.

    ``registered`` tells whether there is a model of that id.
    """

    def __init__(self, ledger: Ledger, judged: Judged, registered: Callable[[str], bool]) -> None:
        self._registered = registered
        self._ledger = ledger
        self._judged = judged
        self._answered: OrderedDict[str, Answered] = OrderedDict()

    def book(self, caller: str, tally: Tally, *, failed: bool) -> None:
        """Book a computed request on the model that answered or was tried last.

        What earlier attempts cost, and that they failed, is booked on their models. A request that
        reached no model is booked on none.
        """
        if not tally.attempts:
            return
        *earlier, last = tally.attempts
        for attempt in earlier:
            metrics = Metrics(cost_usd=attempt.cost_usd)
            bad = attempt.outcome not in NO_FAILURES
            self._ledger.record_attempt(caller, attempt.model, metrics, failed=bad)
        metrics = tally.metrics(cost_usd=last.cost_usd)
        self._ledger.record(caller, last.model, metrics, failed=failed)

    def book_saved(self, caller: str, model: str, saved_usd: float) -> None:
        """Book an answer that was not computed."""
        self._ledger.record(caller, model, Metrics(saved_cost_usd=saved_usd), failed=False)

    def remember(self, request_id: str, answered: Answered) -> None:
        """Keep whom feedback on this answer concerns."""
        self._answered[request_id] = answered
        if len(self._answered) > REMEMBERED:
            self._answered.popitem(last=False)

    def feedback(self, caller: str, request_id: str, score: float) -> None:
        """Give an answer its score, once.

        ResourceNotFoundError where it has one, for answers of others, and where its model is gone.
        """
        answered = self._answered.get(request_id)
        if answered is None or answered.caller != caller:
            raise ResourceNotFoundError("answer", request_id)
        del self._answered[request_id]
        if not self._registered(answered.model):
            raise ResourceNotFoundError("answer", request_id)
        self._judged.reward(answered.model, answered.prompt_tokens, score)

    def forget(self, model: str) -> None:
        """Take no feedback on answers of a model that is no longer registered."""
        gone = [name for name, answered in self._answered.items() if answered.model == model]
        for name in gone:
            del self._answered[name]
