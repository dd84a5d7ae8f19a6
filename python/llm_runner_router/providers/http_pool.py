"""The HTTP connections to providers, one pool for each client library, shared by all models."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp
    import httpx

MAX_CONNECTIONS = 4096
"""More than admission lets run: a pool that is full would let requests wait unseen."""

KEEPALIVE_CONNECTIONS = 1024
KEEPALIVE_SECONDS = 60.0
CONNECT_SECONDS = 10.0


class HttpPool:
    """Opens a pool where it is first asked for. Belongs to one event loop.

    Requests have a time limit on connecting alone: how long an answer may take is for the limits of
    the router to say. No cookies are kept. Whoever made the pool closes it, and nobody else may
    close its clients.
    """

    @cached_property
    def aiohttp(self) -> aiohttp.ClientSession:
        """For OpenAI's API: it parses in C, at a fifth of the others' time.

        It asks no environment for proxies, since it would take passwords out of .netrc along: see
        ``proxy_for``.
        """
        return new_session()

    @cached_property
    def httpx(self) -> httpx.AsyncClient:
        """For the libraries ``anthropic`` and ``ollama``. Proxies are those of the environment."""
        return new_client()

    async def close(self) -> None:
        """End all connections. May be called more than once; a later use opens a new pool."""
        client: httpx.AsyncClient | None = self.__dict__.pop("httpx", None)
        if client is not None:
            await client.aclose()
        session: aiohttp.ClientSession | None = self.__dict__.pop("aiohttp", None)
        if session is not None:
            await session.close()


def new_session() -> aiohttp.ClientSession:
    """A session with a pool of its own. The import is late: many services reach no API."""
    module, certificates = import_module("aiohttp"), import_module("httpx2")
    connector = module.TCPConnector(
        limit=MAX_CONNECTIONS,
        keepalive_timeout=KEEPALIVE_SECONDS,
        ssl=certificates.create_ssl_context(),  # the same authorities as for all other providers
    )
    session: aiohttp.ClientSession = module.ClientSession(
        connector=connector,
        cookie_jar=module.DummyCookieJar(),
        timeout=module.ClientTimeout(total=None, connect=CONNECT_SECONDS),
        skip_auto_headers=("Accept-Encoding", "User-Agent"),
    )
    return session


def new_client() -> httpx.AsyncClient:
    """A client with a pool of its own. The import is late, as above."""
    module = import_module("httpx")
    limits = module.Limits(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=KEEPALIVE_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
    )
    client: httpx.AsyncClient = module.AsyncClient(
        limits=limits, timeout=module.Timeout(None, connect=CONNECT_SECONDS), follow_redirects=False
    )
    return client
