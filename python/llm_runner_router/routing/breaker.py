"""Circuit breakers: a model that keeps failing is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable

from llm_runner_router.config_routing import RoutingConfig


class Breaker:
    """The circuit of one model.

    Closed, until a number of failures in a row opens it; open, until the cooldown is over; then
    half-open: one probe at a time, whose success closes it and whose failure opens it again. An
    attempt that began before the circuit opened has no say any more once it is open.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.opened_at: float | None = None
        self.probe: Trial | None = None

    def left(self, now: float, cooldown: float) -> float:
        """Seconds until a probe may begin; 0 where the circuit is closed or half-open."""
        return 0.0 if self.opened_at is None else max(0.0, self.opened_at + cooldown - now)

    def concerned(self, trial: Trial) -> bool:
        """Whether the result of ``trial`` still counts."""
        return self.opened_at is None or self.probe is trial

    def close(self) -> None:
        """All is well."""
        self.failures, self.opened_at, self.probe = 0, None, None

    def fail(self, now: float, limit: int) -> None:
        """One more failure; a probe's opens the circuit again whatever the limit."""
        self.failures += 1
        if self.opened_at is not None or self.failures >= limit:
            self.opened_at, self.probe = now, None


class Trial:
    """The right to try a model once. Exactly one result counts; later ones are ignored."""

    def __init__(self, breakers: Breakers, breaker: Breaker) -> None:
        self._breakers = breakers
        self._breaker = breaker
        self._open = True

    def succeeded(self) -> None:
        """The model has answered: the circuit closes."""
        if self._counts():
            self._breaker.close()

    def failed(self) -> None:
        """The model is to blame."""
        if self._counts():
            self._breakers.count_failure(self._breaker)

    def abandoned(self) -> None:
        """Nothing was learned: a probe is given back."""
        if self._counts():
            self._breaker.probe = None

    def _counts(self) -> bool:
        was_open, self._open = self._open, False
        return was_open and self._breaker.concerned(self)


class Breakers:
    """The circuits of all models. ``clock`` tells seconds; ``config`` the limits of the moment."""

    def __init__(self, config: Callable[[], RoutingConfig], clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}

    def allows(self, model: str) -> bool:
        """Whether ``begin`` would let an attempt through."""
        breaker = self._breakers.get(model)
        return breaker is None or (breaker.probe is None and not self._left(breaker))

    def opens_in(self, model: str) -> float:
        """Seconds until an open circuit lets a probe through; 0 where it does now."""
        breaker = self._breakers.get(model)
        return 0.0 if breaker is None else self._left(breaker)

    def begin(self, model: str) -> Trial | None:
        """Let an attempt through; ``None`` where the circuit is open or another one probes it.

        The trial must be told its result in the end, whichever that is.
        """
        if not self.allows(model):
            return None
        breaker = self._breakers.setdefault(model, Breaker())
        trial = Trial(self, breaker)
        if breaker.opened_at is not None:
            breaker.probe = trial
        return trial

    def succeeded(self, model: str) -> None:
        """The model is known to be well, whatever attempts say."""
        self._breakers.setdefault(model, Breaker()).close()

    def failed(self, model: str) -> None:
        """The model has failed outside of an attempt."""
        self.count_failure(self._breakers.setdefault(model, Breaker()))

    def count_failure(self, breaker: Breaker) -> None:
        """One more failure of the model behind ``breaker``."""
        breaker.fail(self._clock(), self._config().breaker_failures)

    def forget(self, model: str) -> None:
        """Drop the circuit of a model that is no longer registered."""
        self._breakers.pop(model, None)

    def _left(self, breaker: Breaker) -> float:
        return breaker.left(self._clock(), self._config().breaker_cooldown)
