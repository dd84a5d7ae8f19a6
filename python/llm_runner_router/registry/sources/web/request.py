"""Requests to web servers that files come from, with the redirects that they answer with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from yarl import URL

from llm_runner_router.errors import ProviderRejectedError, SourceError
from llm_runner_router.providers.proxies import proxy_for
from llm_runner_router.registry.sources.web.address import is_host, is_loopback
from llm_runner_router.version import VERSION

if TYPE_CHECKING:
    import aiohttp

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
CONNECT_SECONDS = 10.0
OWN_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"llm-runner-router/{VERSION}"}

Sessions = Callable[[], "aiohttp.ClientSession"]
"""The session of the service's pool, which is made when it is first asked for."""


@asynccontextmanager
async def opened(
    session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], silence: float
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer to a GET, of whatever status but a redirect.

    ``silence`` is how many seconds may pass without a byte. Keys go to the server that was asked
    and to no other. SourceError for redirects without an end or to where they must not lead; else
    the errors of aiohttp.
    """
    sent = {**headers, **OWN_HEADERS}
    for _ in range(MAX_REDIRECTS + 1):
        response = await get(session, url, sent, silence)
        async with response:
            if response.status not in REDIRECTS:
                yield response
                return
            target = redirected(url, response.headers.get("Location", ""))
        if target.origin() != url.origin():
            sent = {name: sent[name] for name in sent if name.lower() not in SECRET_HEADERS}
        url = target
    raise SourceError(f"the server redirects more than {MAX_REDIRECTS} times")


async def get(
    session: aiohttp.ClientSession, url: URL, headers: Mapping[str, str], silence: float
) -> aiohttp.ClientResponse:
    """One answer, as it comes."""
    from aiohttp import ClientTimeout  # noqa: PLC0415 - takes long, and many services reach no web

    try:
        proxy = proxy_for(str(url))
    except ProviderRejectedError as error:
        raise SourceError(error.message) from None
    timeout = ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=silence)
    return await session.get(
        url,
        headers=headers,
        allow_redirects=False,
        auto_decompress=False,
        proxy=proxy,
        timeout=timeout,
    )


def redirected(url: URL, location: str) -> URL:
    """Where a redirect of ``url`` leads; nothing that was encrypted goes on in clear."""
    try:
        target = url.join(URL(location, encoded=True))
        host = (target.host or "").lower()
        known = target.scheme in ("http", "https") and is_host(host) and target.port != 0
    except ValueError:
        known = False
    if not known or not location:
        raise SourceError("the server redirects to what is no address of the web")
    local = url.scheme == "http" and is_loopback(host)
    if target.scheme == "http" and not local:
        raise SourceError(f"the server redirects to http:// at {host[:80]}; https:// is wanted")
    return target.with_user(None)
