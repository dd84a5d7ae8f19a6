"""The HTTP connections to providers, one pool for each client library, shared by all models."""

from __future__ import annotations

import ssl
import threading
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
    """Opens a pool where it is first asked for. Belongs to one event loop, whose clients it holds.

    Requests have a time limit on connecting alone: how long an answer may take is for the limits of
    the router to say. No cookies are kept. Whoever made the pool closes it, and nobody else may
    close its clients.
    """

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._certificates: ssl.SSLContext | None = None
        self._session: aiohttp.ClientSession | None = None
        self._client: httpx.AsyncClient | None = None

    def prepare(self) -> None:
        """Do what takes long of ``aiohttp``, some 50 ms: for a thread beside the event loop."""
        import_module("aiohttp")
        self._trusted()

    @property
    def aiohttp(self) -> aiohttp.ClientSession:
        """For OpenAI's API: it parses in C, at a fifth of the others' time. On the event loop only.

        It asks no environment for proxies, since it would take passwords out of .netrc along: see
        ``proxy_for``.
        """
        if self._session is None:
            self._session = new_session(self._trusted())
        return self._session

    @property
    def httpx(self) -> httpx.AsyncClient:
        """For the libraries ``anthropic`` and ``ollama``. Proxies are those of the environment.

        Any thread may ask; the first waits until it is made, some 50 ms.
        """
        with self._making:
            if self._client is None:
                self._client = new_client()
            return self._client

    def _trusted(self) -> ssl.SSLContext:
        """Whom to trust: the same authorities as for all other providers."""
        with self._making:
            if self._certificates is None:
                self._certificates = import_module("httpx2").create_ssl_context()
            return self._certificates

    async def close(self) -> None:
        """End all connections. May be called more than once; a later use opens a new pool."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def new_session(certificates: ssl.SSLContext) -> aiohttp.ClientSession:
    """A session with a pool of its own. The import is late: many services reach no API."""
    module = import_module("aiohttp")
    connector = module.TCPConnector(
        limit=MAX_CONNECTIONS,
        keepalive_timeout=KEEPALIVE_SECONDS,
        ssl=certificates,
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
