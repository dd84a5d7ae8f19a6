"""Which model is tried next, and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from llm_runner_router.errors import RouterError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.failures import (
    is_free,
    may_be_repeated,
    outcome_of_all,
    retry_after,
)

AT_ONCE = float("-inf")


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A model's turn: not before ``ready``, a time of the clock, after ``tries`` failures."""

    ready: float
    place: int
    record: ModelRecord = field(compare=False)
    tries: int = field(default=0, compare=False)

    @property
    def first(self) -> bool:
        """Whether this model has not been tried yet."""
        return self.tries == 0


class Agenda:
    """Every model of the order once; then those again that may do better, the readiest first.

    Before a model is tried again it gets a pause: ``backoff`` seconds, doubled each time, with full
    jitter, and at least what it asks for. ``budget`` bounds the attempts over all models. Pure: no
    clock, no tasks.
    """

    def __init__(
        self, order: Sequence[ModelRecord], budget: int, backoff: float, chance: random.Random
    ) -> None:
        self._turns = [Turn(AT_ONCE, place, record) for place, record in enumerate(order)]
        heapify(self._turns)
        self._budget = budget
        self._backoff = backoff
        self._chance = chance
        self._errors: list[RouterError] = []

    def next(self) -> Turn | None:
        """The next turn, taken off; ``None`` where nothing or no attempt is left."""
        return heappop(self._turns) if self._turns and self._budget > 0 else None

    @property
    def untried(self) -> Sequence[str]:
        """The ids of the models that have not been tried yet."""
        return [turn.record.id for turn in self._turns if turn.first]

    def next_first(self) -> Turn | None:
        """The next turn of a model that has not been tried yet, taken off."""
        return self.next() if self._turns and self._turns[0].first else None

    def spend(self) -> None:
        """An attempt begins."""
        self._budget -= 1

    def failed(self, turn: Turn, error: RouterError, now: float, *, asked: bool = True) -> None:
        """An attempt has failed, before its provider was ``asked`` or after that."""
        self._errors.append(error)
        if is_free(error, asked=asked):
            self._budget += 1
        if may_be_repeated(error):
            jittered = self._chance.uniform(0.0, self._backoff * 2**turn.tries)
            pause = max(jittered, retry_after(error))
            heappush(self._turns, Turn(now + pause, turn.place, turn.record, turn.tries + 1))

    def error(self) -> RouterError:
        """What the caller is told when nothing is left."""
        return outcome_of_all(self._errors)
