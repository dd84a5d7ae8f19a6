"""The work that models have before them, counted in tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType


class Loads:
    """Outstanding tokens by model. Belongs to one event loop."""

    def __init__(self) -> None:
        self._tokens: dict[str, int] = {}
        self._busy = MappingProxyType(self._tokens)

    @property
    def busy(self) -> Mapping[str, int]:
        """The models that have work, with their tokens; a view that changes with it."""
        return self._busy

    def outstanding(self, model: str) -> int:
        """Tokens of the attempts that run at ``model``; 0 while none does."""
        return self._tokens.get(model, 0)

    @contextmanager
    def carrying(self, model: str, tokens: int) -> Iterator[None]:
        """``model`` has ``tokens`` (at least 1) more before it for as long as this is entered."""
        carried = max(1, tokens)
        self._tokens[model] = self._tokens.get(model, 0) + carried
        try:
            yield
        finally:
            left = self._tokens[model] - carried
            if left:
                self._tokens[model] = left
            else:
                del self._tokens[model]
