"""The methods of v1.0 under their old names."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from typing import Any

from llm_runner_router.errors import RouterError
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.old.registry_methods import OldRegistryNames
from llm_runner_router.router_processing import ProcessingFace, Prompt
from llm_runner_router.router_state import StateFace
from llm_runner_router.types import Event, HealthReport, Response, Status


class OldNames(OldRegistryNames, ProcessingFace, StateFace):
    """Each warns where it is called, and then does what its new name does.

    v0's ``load_model`` keeps its name but answered at once; here it must be awaited. A call that
    nobody awaits loads nothing, of which Python warns, and the first request loads the model.
    """

    def generate(
        self,
        prompt: Prompt | None = None,
        **values: Any,  # noqa: ANN401
    ) -> Coroutine[Any, Any, Any]:
        """Deprecated: ``process``. It takes v1.0's ``input``, ``model_id`` and ``stream`` too."""
        warn_old("generate", "process")
        return self.process(prompt, **values)

    def generate_stream(
        self,
        prompt: Prompt | None = None,
        **values: Any,  # noqa: ANN401
    ) -> AsyncGenerator[Event, None]:
        """Deprecated: ``process_stream``."""
        warn_old("generate_stream", "process_stream")
        return self.process_stream(prompt, **values)

    def generate_batch(
        self, requests: Sequence[Prompt], *, timeout: float | None = None
    ) -> Coroutine[Any, Any, Sequence[Response | RouterError]]:
        """Deprecated: ``process_batch``."""
        warn_old("generate_batch", "process_batch")
        return self.process_batch(requests, timeout=timeout)

    def set_config(self, changes: Mapping[str, Any]) -> Coroutine[Any, Any, Mapping[str, Any]]:
        """Deprecated: ``update_config``."""
        warn_old("set_config", "update_config")
        return self.update_config(changes)

    def status(self) -> Coroutine[Any, Any, Status]:
        """Deprecated: ``get_status``."""
        warn_old("status", "get_status")
        return self.get_status()

    def health(self) -> Coroutine[Any, Any, HealthReport]:
        """Deprecated: ``check_health``."""
        warn_old("health", "check_health")
        return self.check_health()
