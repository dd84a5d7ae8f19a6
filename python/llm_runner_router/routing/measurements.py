"""How fast and how reliable each model has been, with prompts of each length class."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from llm_runner_router.registry.records import MeasurementRow, ModelPerformance

LENGTH_BOUNDS = (256, 2048, 16_384)
"""Prompt tokens at which the next length class begins."""

SMOOTHING = 0.1
"""Weight of the newest observation in an average."""

REWARD_DECAY = 0.98
"""What the weight of earlier rewards shrinks to with each new one: about 50 count in the end."""

WINDOW = 64
"""Times to the first token that the 95th percentile is taken of."""

CHANGES = 256
"""Changes of which it is remembered which model they were of."""

ENOUGH = 20
"""Observations below which a 95th percentile would be no more than their maximum."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a model is expected to do next; ``None`` where nothing was measured."""

    first_token_ms: float | None = None
    token_ms: float | None = None
    error_rate: float = 0.0
    samples: int = 0
    reward: float = 0.0
    rewards: float = 0.0


NOTHING = Expected()


@dataclass(slots=True)
class Average:
    """A mean of the first observations that then forgets exponentially."""

    value: float | None = None
    count: int = 0

    def add(self, value: float) -> None:
        """One more observation."""
        self.count += 1
        share = max(SMOOTHING, 1.0 / self.count)
        before = 0.0 if self.value is None else self.value
        self.value = before + share * (value - before)

    @classmethod
    def remembered(cls, value: float | None) -> Average:
        """An average that is already settled, as far as there is one."""
        return cls() if value is None else cls(value, round(1.0 / SMOOTHING))


@dataclass(slots=True)
class Record:
    """The measurements of one model and length class."""

    samples: int = 0
    first_token: Average = field(default_factory=Average)
    token: Average = field(default_factory=Average)
    error_rate: float = 0.0
    reward: float = 0.0
    rewards: float = 0.0
    window: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    remembered_p95: float | None = None

    @classmethod
    def restored(cls, row: MeasurementRow) -> Record:
        """As a row says; its percentile holds until there are enough new observations."""
        return cls(
            samples=row.samples,
            first_token=Average.remembered(row.first_token_ms),
            token=Average.remembered(row.token_ms),
            error_rate=row.error_rate,
            reward=row.reward,
            rewards=row.rewards,
            remembered_p95=row.first_token_p95_ms,
        )

    def observe(
        self, first_token_ms: float | None, token_ms: float | None, *, failed: bool
    ) -> None:
        """One more attempt. Errors count from a clean sheet: one failure is no certainty."""
        self.samples += 1
        self.error_rate += SMOOTHING * (float(failed) - self.error_rate)
        if first_token_ms is not None:
            self.first_token.add(first_token_ms)
            self.window.append(first_token_ms)
        if token_ms is not None:
            self.token.add(token_ms)

    def add_reward(self, score: float) -> None:
        """One more judgement of an answer."""
        self.rewards = self.rewards * REWARD_DECAY + 1.0
        self.reward += (score - self.reward) / self.rewards

    def p95(self) -> float | None:
        """The 95th percentile of the last times to the first token, by nearest rank."""
        if len(self.window) < ENOUGH:
            return self.remembered_p95
        ordered = sorted(self.window)
        return ordered[-(-len(ordered) * 95 // 100) - 1]

    def expected(self) -> Expected:
        """What it says of the next attempt."""
        return Expected(
            self.first_token.value,
            self.token.value,
            self.error_rate,
            self.samples,
            self.reward,
            self.rewards,
        )

    def row(self, model: str, length_class: int) -> MeasurementRow:
        """What is kept of it."""
        return MeasurementRow(
            model,
            length_class,
            self.samples,
            self.first_token.value,
            self.p95(),
            self.token.value,
            self.error_rate,
            self.reward,
            self.rewards,
        )


class Measurements:
    """Averages that forget, by model and length class of the prompt. Pure: no clock, no tasks."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, int], Record] = {}
        self._revision = 0
        self._changes: deque[str] = deque(maxlen=CHANGES)

    @property
    def revision(self) -> int:
        """One more after every change."""
        return self._revision

    def changed_since(self, revision: int) -> Collection[str] | None:
        """The models that changed after ``revision``; ``None``: any may have."""
        count = self._revision - revision
        if count > len(self._changes):
            return None
        return set(islice(reversed(self._changes), count))

    def observe(
        self,
        model: str,
        prompt_tokens: int,
        *,
        first_token_ms: float | None,
        token_ms: float | None,
        failed: bool,
    ) -> None:
        """Note an attempt; ``None`` where it shows nothing. ``failed`` by the model's own fault."""
        self._record(model, prompt_tokens).observe(first_token_ms, token_ms, failed=failed)

    def reward(self, model: str, prompt_tokens: int, score: float) -> None:
        """Note how good an answer was, from 0 to 1."""
        self._record(model, prompt_tokens).add_reward(score)

    def expected(self, model: str, prompt_tokens: int) -> Expected:
        """What is to be expected of ``model`` with a prompt of that length."""
        found = self._records.get((model, length_class(prompt_tokens)))
        return NOTHING if found is None else found.expected()

    def first_token_p95(self, model: str, prompt_tokens: int) -> float | None:
        """Milliseconds within which 95 of 100 answers begin; ``None`` while too few were seen."""
        found = self._records.get((model, length_class(prompt_tokens)))
        return None if found is None else found.p95()

    def performance(self, model: str) -> ModelPerformance:
        """What was measured of ``model``, over prompts of all lengths."""
        classes = range(len(LENGTH_BOUNDS) + 1)
        found = [row for n in classes if (row := self._records.get((model, n))) is not None]
        samples = sum(row.samples for row in found)
        token_ms = weighted((row.token.value, row.samples) for row in found)
        return ModelPerformance(
            samples=samples,
            tokens_per_second=1000.0 / token_ms if token_ms else None,
            first_token_ms=weighted((row.first_token.value, row.samples) for row in found),
            first_token_p95_ms=max(
                (p for row in found if (p := row.p95()) is not None), default=None
            ),
            error_rate=weighted((row.error_rate, row.samples) for row in found) or 0.0,
        )

    def forget(self, model: str) -> None:
        """Drop what is known of a model that is no longer registered."""
        self._changed(model)
        self._records = {key: kept for key, kept in self._records.items() if key[0] != model}

    def rows(self) -> Sequence[MeasurementRow]:
        """Everything, to be kept across restarts, in the order of model and length class."""
        return [self._records[key].row(*key) for key in sorted(self._records)]

    def restore(self, rows: Iterable[MeasurementRow]) -> None:
        """Take up ``rows`` again; they replace what is known of the same model and class."""
        self._revision += 1
        self._changes.clear()
        for row in rows:
            self._records[row.model, row.length_class] = Record.restored(row)

    def _record(self, model: str, prompt_tokens: int) -> Record:
        """The record that is about to change."""
        self._changed(model)
        return self._records.setdefault((model, length_class(prompt_tokens)), Record())

    def _changed(self, model: str) -> None:
        self._revision += 1
        self._changes.append(model)


def length_class(prompt_tokens: int) -> int:
    """Which class a prompt of that many tokens belongs to, from 0."""
    return bisect_right(LENGTH_BOUNDS, prompt_tokens)


def weighted(values: Iterable[tuple[float | None, int]]) -> float | None:
    """The mean of the values that are known, by their weights; ``None`` where none is."""
    known = [(value, weight) for value, weight in values if value is not None and weight > 0]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else None
