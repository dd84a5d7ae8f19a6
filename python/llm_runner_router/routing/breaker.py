"""Circuit breakers: a model that keeps failing, or asks for it, is left alone for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_runner_router.config.routing import RoutingConfig

LONGEST_REST = 60.0
"""Seconds that a model is left alone at most because it asks for it: it is not the master here."""


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

    def __init__(self, breakers: Breakers, model: str, breaker: Breaker) -> None:
        self._breakers = breakers
        self._model = model
        self._breaker = breaker
        self._open = True

    def accepted(self) -> None:
        """The model has begun to answer, which is all that a probe is to find out.

        It closes the circuit, and the result of its attempt will count as that of any other. How
        long the answer takes is up to whoever reads it.
        """
        if self._open and self._breaker.probe is self:
            self._breaker.close()

    def succeeded(self) -> None:
        """The model has answered: the circuit closes."""
        if self._counts():
            self._breaker.close()

    def failed(self) -> None:
        """The model is to blame."""
        if self._counts():
            self._breakers.count_failure(self._breaker)

    def postponed(self, seconds: float) -> None:
        """The model asks to be left alone for so long; nothing else was learned."""
        if self._open:
            self._breakers.rest(self._model, seconds)
        self.abandoned()

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
        self._rests: dict[str, float] = {}

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
        trial = Trial(self, model, breaker)
        if breaker.opened_at is not None:
            breaker.probe = trial
        return trial

    def rest(self, model: str, seconds: float) -> None:
        """Leave ``model`` alone for ``seconds``, but for LONGEST_REST at most."""
        until = self._clock() + min(seconds, LONGEST_REST)
        self._rests[model] = max(until, self._rests.get(model, until))

    def resting(self) -> Mapping[str, float]:
        """The models that asked to be left alone, with the seconds that are left of it."""
        if self._rests:
            now = self._clock()
            self._rests = {model: until for model, until in self._rests.items() if until > now}
            return {model: until - now for model, until in self._rests.items()}
        return self._rests

    def count_failure(self, breaker: Breaker) -> None:
        """One more failure of the model behind ``breaker``."""
        breaker.fail(self._clock(), self._config().breaker_failures)

    def forget(self, model: str) -> None:
        """Drop what is known of a model that is no longer registered."""
        self._breakers.pop(model, None)
        self._rests.pop(model, None)

    def _left(self, breaker: Breaker) -> float:
        return breaker.left(self._clock(), self._config().breaker_cooldown)
