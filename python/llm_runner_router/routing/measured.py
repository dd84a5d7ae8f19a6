"""What is measured of a group of models: columns, kept up to date row by row."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from llm_runner_router.routing.measurements import Expected, Measurements, length_class
from llm_runner_router.routing.roster import Roster
from llm_runner_router.routing.scales import Floats

_WORST_ERROR_RATE = 0.99  # keeps the expected number of tries finite
_NOVELTY = 1e-9  # far below any difference of scores that means something


class Measured:
    """The columns of one class of prompt lengths, a row a model of a roster; NaN is unmeasured.

    ``pace`` has two columns, the milliseconds to the first token and of each further one, both
    divided by the share of attempts that succeed, since what fails is done again. ``novelty``
    orders equal scores so that the least measured comes first.
    """

    def __init__(self, size: int) -> None:
        self.first_token_ms: Floats = np.full(size, np.nan)
        self.pace: Floats = np.full((size, 2), np.nan)
        self.error_rate: Floats = np.zeros(size)
        self.samples: Floats = np.zeros(size)
        self.reward: Floats = np.zeros(size)
        self.rewards: Floats = np.zeros(size)
        self.novelty: Floats = np.full(size, _NOVELTY)

    def note(self, row: int, expected: Expected) -> None:
        """Set a row."""
        first, token = expected.first_token_ms, expected.token_ms
        tries = 1.0 / (1.0 - min(expected.error_rate, _WORST_ERROR_RATE))
        self.first_token_ms[row] = np.nan if first is None else first
        # An answer that came in one piece has no time between its tokens.
        self.pace[row, 0] = np.nan if first is None else first * tries
        self.pace[row, 1] = np.nan if first is None else (token or 0.0) * tries
        self.error_rate[row] = expected.error_rate
        self.samples[row] = expected.samples
        self.reward[row] = expected.reward
        self.rewards[row] = expected.rewards
        self.novelty[row] = _NOVELTY / (1.0 + expected.samples)


class MeasuredRoster:
    """The measured columns of a roster, by class of prompt lengths. Belongs to one event loop."""

    def __init__(self, roster: Roster, measurements: Measurements) -> None:
        self._roster = roster
        self._measurements = measurements
        self._columns: dict[int, tuple[int, Measured]] = {}

    def current(self, prompt_tokens: int) -> Measured:
        """The columns for prompts of that length, as of now; later calls change them."""
        key, revision = length_class(prompt_tokens), self._measurements.revision
        seen, columns = self._columns.get(key, (-1, None))
        if columns is None:
            columns = Measured(len(self._roster.ids))
            self._note(columns, self._roster.ids, prompt_tokens)
        elif seen != revision:
            changed = self._measurements.changed_since(seen)
            self._note(columns, self._roster.ids if changed is None else changed, prompt_tokens)
        if seen != revision:
            self._columns[key] = revision, columns
        return columns

    def _note(self, columns: Measured, models: Collection[str], prompt_tokens: int) -> None:
        position, expected = self._roster.position, self._measurements.expected
        for model in models:
            row = position.get(model)
            if row is not None:
                columns.note(row, expected(model, prompt_tokens))
