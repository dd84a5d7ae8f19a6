"""A plan while it is made: who answers, who comes next, and who cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_runner_router.errors import (
    NoCandidateError,
    OverloadedError,
    RateLimitError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.routing.sieve import Sifted


class Draft:
    """Collects the models of one request from one pool after the other."""

    def __init__(self) -> None:
        self._order: dict[str, None] = {}
        self._sifted: list[Sifted] = []

    @property
    def order(self) -> Sequence[str]:
        """The models in the order in which they are tried, each once."""
        return list(self._order)

    def add(self, models: Iterable[str], sifted: Sifted) -> None:
        """``models`` come next, of which ``sifted`` says that they may."""
        self._order.update(dict.fromkeys(models))
        self._sifted.append(sifted)

    def excluded(self) -> dict[str, str]:
        """Why models may not answer."""
        found: dict[str, str] = {}
        for sifted in reversed(self._sifted):
            found.update(sifted.excluded())
        return found

    def failure(self) -> RouterError:
        """Why there is nobody, by what may pass soonest.

        Rate limits pass, circuits close and budgets begin anew; requirements stay what they are.
        """
        hindered = {
            model: error for sifted in self._sifted for model, error in sifted.hindered.items()
        }
        limits = [error for error in hindered.values() if isinstance(error, RateLimitError)]
        if limits:
            return min(limits, key=lambda limit: limit.retry_after)
        broken = {
            model: error.message
            for model, error in hindered.items()
            if not isinstance(error, OverloadedError)
        }
        if broken:
            listed = "; ".join(f"{model}: {why}" for model, why in list(broken.items())[:8])
            message = f"no model that could answer may be asked now ({listed})"
            return UnavailableError(message, reason="CIRCUIT_OPEN")
        if hindered:
            return next(iter(hindered.values()))
        return NoCandidateError(self.excluded())
