"""The candidates of one request as they stand at one moment: columns, one row a candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from llm_runner_router.routing.measured import Measured
from llm_runner_router.routing.roster import Flags, Hashes, Roster
from llm_runner_router.routing.scales import Floats

Rows = NDArray[np.intp]
Column = TypeVar("Column", Floats, Flags, Hashes)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Columns over ``rows`` of a roster, made when they are asked for; nobody writes to them.

    NaN stands for what is unknown or unmeasured. ``load`` is the outstanding tokens of the whole
    roster. Valid until the next decision: what is measured is kept up to date in place.
    ``shares`` are of the prompt, by the models that have seen them.
    """

    roster: Roster
    measured: Measured
    load: Floats
    prompt_tokens: int
    answer_tokens: int
    shares: Mapping[str, float]
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.roster.ids) if self.rows is None else len(self.rows)

    def __contains__(self, model: str) -> bool:
        row = self.roster.position.get(model)
        return row is not None and (self.rows is None or bool((self.rows == row).any()))

    def only(self, rows: Rows) -> Snapshot:
        """The candidates of ``rows``, which are rows of the roster in their order."""
        fixed = (self.roster, self.measured, self.load, self.prompt_tokens, self.answer_tokens)
        return Snapshot(*fixed, self.shares, rows)

    def row(self, candidate: int) -> int:
        """The roster's row of a candidate."""
        return candidate if self.rows is None else int(self.rows[candidate])

    @property
    def ids(self) -> Sequence[str]:
        """The models."""
        ids = self.roster.ids
        return ids if self.rows is None else [ids[row] for row in self.rows.tolist()]

    @property
    def quality(self) -> Floats:
        """The operator's judgement, from 0 to 1."""
        return self._of(self.roster.quality)

    @property
    def cost_usd(self) -> Floats:
        """What this request would cost there, estimated."""
        amounts = np.array((self.prompt_tokens, self.answer_tokens), np.float64)
        cost: Floats = self.roster.prices.dot(amounts)
        return self._of(cost)

    @property
    def latency_ms(self) -> Floats:
        """The expected time to the whole answer, failed tries included."""
        latency: Floats = self.measured.pace.dot(np.array((1.0, self.answer_tokens)))
        return self._of(latency)

    @property
    def first_token_ms(self) -> Floats:
        """The expected time to the first token."""
        return self._of(self.measured.first_token_ms)

    @property
    def error_rate(self) -> Floats:
        """The share of attempts that fail."""
        return self._of(self.measured.error_rate)

    @property
    def samples(self) -> Floats:
        """How many attempts were observed."""
        return self._of(self.measured.samples)

    @property
    def reward(self) -> Floats:
        """What callers judged, from 0 to 1."""
        return self._of(self.measured.reward)

    @property
    def rewards(self) -> Floats:
        """The weight behind ``reward``."""
        return self._of(self.measured.rewards)

    @property
    def novelty(self) -> Floats:
        """A tiny number, the greater the less was observed."""
        return self._of(self.measured.novelty)

    @property
    def outstanding(self) -> Floats:
        """Tokens of the attempts that run there."""
        return self._of(self.load)

    @property
    def context(self) -> Floats:
        """Tokens of the declared context."""
        return self._of(self.roster.context)

    @property
    def local(self) -> Flags:
        """Whether the model runs in this service."""
        return self._of(self.roster.local)

    @property
    def weights(self) -> Floats:
        """The shares of an alias's targets."""
        return self._of(self.roster.weights)

    @property
    def hashes(self) -> Hashes:
        """A stable hash of each id."""
        return self._of(self.roster.hashes)

    @property
    def cached_share(self) -> Floats:
        """The share of this prompt that the model has seen."""
        column = np.zeros(len(self.roster.ids))
        for model, share in self.shares.items():
            row = self.roster.position.get(model)
            if row is not None:
                column[row] = share
        return self._of(column)

    def surplus(self, wanted: frozenset[str]) -> Floats:
        """How many capabilities each has beyond the ``wanted`` ones."""
        abilities = self.roster.abilities
        counts = np.array([len(offered - wanted) for offered in abilities], np.float64)
        return self._of(counts)

    def _of(self, column: Column) -> Column:
        """The candidates' rows of a column of the roster."""
        return column if self.rows is None else column[self.rows]
