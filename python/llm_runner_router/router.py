"""LLMRouter: the public face, over a router in this process or a remote one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from llm_runner_router.backend import Backend
from llm_runner_router.config.sources import LoadedConfig, load_config
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidConfigError, UnavailableError
from llm_runner_router.hidden import shown_address
from llm_runner_router.old.methods import OldNames
from llm_runner_router.router_settings import settings_of
from llm_runner_router.runtime import Runtime


class LLMRouter(OldNames):
    """Answers requests with the models that are registered.

    ``LLMRouter()`` runs models in this process, configured by ``config`` (nested, camelCase or
    snake_case) over the environment over ``config_file`` over defaults; ``LLMRouter(target=
    "host:port")`` uses a service instead, by the same methods and types. Use ``async with``, or
    ``initialize`` and ``close``. Belongs to one event loop. Methods raise RouterError.

    ``options`` are settings by keyword: sections, or the flat ones of v1.0, which warn. A
    ``configFile`` among the settings is ``config_file``; a path in their place, as in v0, warns.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | Config | str | os.PathLike[str] | None = None,
        *,
        config_file: str | os.PathLike[str] | None = None,
        target: str | None = None,
        caller: str = "anonymous",
        **options: Any,  # noqa: ANN401 - settings are checked with all others
    ) -> None:
        settings = settings_of(config, config_file, options)
        if target is not None and (config is not None or config_file is not None or options):
            allowed = "a target alone, or a configuration without a target"
            raise InvalidConfigError("target", shown_address(target), allowed)
        # The configuration is checked now; what belongs to an event loop is made in one.
        self._config: Config | None = None
        if target is None:
            loaded = load_config(settings.values, settings.file)
            self._make, self._config = local(loaded), loaded.config
        else:
            self._make = remote(target)
        self._caller = caller
        self._opening: asyncio.Task[Backend] | None = None
        self._closed = False

    @property
    def config(self) -> Config | None:
        """What a router of this process starts with; ``None``: the service has its own."""
        return self._config

    async def initialize(self) -> None:
        """Open what is needed. First use does so too; again, it does nothing."""
        await self._opened()

    async def close(self) -> None:
        """Cancel what runs and give everything back. May be called more than once."""
        self._closed = True
        if self._opening is not None:
            await asyncio.wait([self._opening])
            if self._opening.exception() is None:
                await self._opening.result().close()

    async def _opened(self) -> Backend:
        """The backend, made and initialized once; after a failure it is tried again."""
        if self._closed:
            raise UnavailableError("the router is closed")
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.ensure_future(opened(self._make))
        return await asyncio.shield(self._opening)

    async def __aenter__(self) -> Self:
        try:
            await self.initialize()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def local(loaded: LoadedConfig) -> Callable[[], Backend]:
    """Makes a router of this process."""
    return lambda: Runtime(loaded)


def remote(target: str) -> Callable[[], Backend]:
    """Makes a router over the service at ``host:port``."""

    def make() -> Backend:
        # Imported late: whoever runs models in this process needs no gRPC.
        backend: Backend = import_module("llm_runner_router.remote").RemoteBackend(target)
        return backend

    return make


async def opened(make: Callable[[], Backend]) -> Backend:
    """A backend that is ready, or none that is left half open."""
    backend = make()
    try:
        await backend.initialize()
    except BaseException:
        await backend.close()
        raise
    return backend
