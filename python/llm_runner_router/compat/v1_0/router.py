"""LLMRouter as v1.0 had it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, overload

from llm_runner_router.compat.v1_0.answers import OldEvent, OldResponse, old_response
from llm_runner_router.compat.v1_0.events import old_events
from llm_runner_router.errors import InvalidConfigError, RouterError
from llm_runner_router.hidden import hidden
from llm_runner_router.model_mappings import record_of_mapping
from llm_runner_router.old.added_model import added
from llm_runner_router.old.config import flat_settings, nested_settings
from llm_runner_router.old.models import renamed_model
from llm_runner_router.registry.records import ModelView
from llm_runner_router.request_names import STREAMING, renamed_fields
from llm_runner_router.router import LLMRouter as PresentRouter
from llm_runner_router.types import HealthReport, Status
from llm_runner_router.validation.request import check_kind


class LLMRouter:
    """The methods, fields and answers of v1.0 over ``router``, the LLMRouter of today.

    ``config`` is a path (v0), or settings, flat or nested; ``options`` are more of them. The first
    use starts it. Belongs to one event loop. Methods raise RouterError.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        *,
        target: str | None = None,
        **options: Any,  # noqa: ANN401 - settings are checked with all others
    ) -> None:
        file = config if isinstance(config, str | os.PathLike) else None
        given: Any = {} if config is None or file is not None else config
        if not isinstance(given, Mapping):
            raise InvalidConfigError("configuration", hidden(given), "settings by name, or a path")
        values = nested_settings({**given, **options}).values
        self.router = PresentRouter(values or None, config_file=file, target=target)

    async def initialize(self) -> None:
        """Start now what the first use would start."""
        await self.router.initialize()

    async def close(self) -> None:
        """Cancel what runs and give everything back. May be called more than once."""
        await self.router.close()

    async def __aenter__(self) -> Self:
        await self.router.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.router.__aexit__(kind, error, trace)

    async def add_model(
        self,
        model: str | Mapping[str, Any] | None = None,
        **values: Any,  # noqa: ANN401 - fields in every spelling that there was
    ) -> ModelView:
        """Register a model by its ``name``, ``path`` and ``type``.

        What is registered already and says the same stays as it is.
        """
        found = renamed_model(model, values)
        return await added(self.router, record_of_mapping(found.values, None, {}))

    async def remove_model(self, model: str) -> None:
        """Forget a model and unload it; its file stays."""
        await self.router.unregister_model(model)

    async def get_models(self) -> Sequence[ModelView]:
        """All models by their ids."""
        return await self.router.list_models()

    async def load_model(self, model: str) -> ModelView:
        """Bring a registered model into memory, as v0 did at once; await it."""
        return await self.router.load_model(model)

    async def unload_model(self, model: str) -> None:
        """Take a model out of memory once its running requests are done; it stays registered."""
        await self.router.unload_model(model)

    @overload
    async def generate(
        self,
        request: str | Mapping[str, Any] | None = None,
        *,
        stream: Literal[False] | None = None,
        **values: Any,  # noqa: ANN401
    ) -> OldResponse: ...

    @overload
    async def generate(
        self,
        request: str | Mapping[str, Any] | None = None,
        *,
        stream: Literal[True],
        **values: Any,  # noqa: ANN401
    ) -> AsyncGenerator[OldEvent, None]: ...

    async def generate(
        self,
        request: str | Mapping[str, Any] | None = None,
        *,
        stream: bool | None = None,
        **values: Any,
    ) -> OldResponse | AsyncGenerator[OldEvent, None]:
        """Answer; with ``stream`` as ``generate_stream``."""
        said = {} if stream is None else {"stream": stream}
        given = present_request(request, {**values, **said})
        if given.get(STREAMING) is True:
            return old_events(self.router.process_stream(given))
        return old_response(await self.router.process(given))

    def generate_stream(
        self,
        request: str | Mapping[str, Any] | None = None,
        **values: Any,  # noqa: ANN401 - fields in every spelling that there was
    ) -> AsyncGenerator[OldEvent, None]:
        """Answer as ``token`` … and ``end``. Closing the iterator cancels the request."""
        return old_events(self.router.process_stream(present_request(request, values)))

    async def generate_batch(
        self, requests: Sequence[str | Mapping[str, Any]]
    ) -> Sequence[OldResponse | RouterError]:
        """Answer each, in order; one that fails gives its error and does not fail the others."""
        check_kind("requests", requests, Sequence, "a list of requests")
        answers = await self.router.process_batch([present_request(one, {}) for one in requests])
        return [
            answer if isinstance(answer, RouterError) else old_response(answer)
            for answer in answers
        ]

    async def set_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what may change while running; settings may be flat or nested."""
        return flat_settings(await self.router.update_config(nested_settings(changes).values))

    async def get_config(self) -> Mapping[str, Any]:
        """The flat settings in force. What v1.0 did not have, ``router`` tells."""
        return flat_settings(await self.router.get_config())

    async def status(self) -> Status:
        """What the router does now."""
        return await self.router.get_status()

    async def health(self) -> HealthReport:
        """Whether requests are taken."""
        return await self.router.check_health()


def present_request(
    request: str | Mapping[str, Any] | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields of a request under today's names."""
    if isinstance(request, Mapping):
        given, _ = renamed_fields(request)
    else:
        given = {} if request is None else {"prompt": request}
    return {**given, **renamed_fields(values)[0]}
