"""What an answer of v1.0 called its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_runner_router.old.deprecation import warn_old

if TYPE_CHECKING:
    from llm_runner_router.types import Metrics


class OldAnswerNames:
    """Each warns where it is read, and gives what its new name gives."""

    __slots__ = ()

    response: str
    model_used: str
    metrics: Metrics

    @property
    def text(self) -> str:
        """Deprecated: ``response``."""
        warn_old("text", "response")
        return self.response

    @property
    def model(self) -> str:
        """Deprecated: ``model_used``."""
        warn_old("model", "model_used")
        return self.model_used

    @property
    def usage(self) -> Metrics:
        """Deprecated: ``metrics``."""
        warn_old("usage", "metrics")
        return self.metrics
