"""The HTTP connections to providers, one pool for each client library, shared by all models."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    import httpx2

MAX_CONNECTIONS = 4096
"""More than admission lets run: a pool that is full would let requests wait unseen."""

KEEPALIVE_CONNECTIONS = 1024
KEEPALIVE_SECONDS = 60.0
CONNECT_SECONDS = 10.0


class HttpPool:
    """Opens a pool where it is first asked for. Belongs to one event loop.

    Requests have a time limit on connecting alone: how long an answer may take is for the limits of
    the router to say. Proxies are those of the environment. Whoever made the pool closes it, and
    nobody else may close its clients.
    """

    @cached_property
    def httpx2(self) -> httpx2.AsyncClient:
        """For the library ``openai``."""
        client: httpx2.AsyncClient = new_client("httpx2")
        return client

    @cached_property
    def httpx(self) -> httpx.AsyncClient:
        """For the libraries ``anthropic`` and ``ollama``."""
        client: httpx.AsyncClient = new_client("httpx")
        return client

    async def close(self) -> None:
        """End all connections. May be called more than once; a later use opens a new pool."""
        for library in ("httpx", "httpx2"):
            client = self.__dict__.pop(library, None)
            if client is not None:
                await client.aclose()


def new_client(library: str) -> Any:  # noqa: ANN401 - either library's AsyncClient
    """A client with a pool of its own. The import is late: many services reach no API."""
    module = import_module(library)
    limits = module.Limits(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=KEEPALIVE_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
    )
    return module.AsyncClient(
        limits=limits, timeout=module.Timeout(None, connect=CONNECT_SECONDS), follow_redirects=False
    )
