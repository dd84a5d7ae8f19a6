from __future__ import annotations

import aiohttp

from llm_runner_router.providers.http_pool import CONNECT_SECONDS, MAX_CONNECTIONS, HttpPool


async def test_one_pool_for_each_library_until_it_is_closed() -> None:
    pool = HttpPool()
    await pool.close()
    session, client = pool.aiohttp, pool.httpx
    assert pool.aiohttp is session
    assert pool.httpx is client
    await pool.close()
    await pool.close()
    assert session.closed
    assert client.is_closed
    assert not pool.aiohttp.closed
    await pool.close()


async def test_time_limits_are_on_connecting_alone() -> None:
    pool = HttpPool()
    session, client = pool.aiohttp, pool.httpx
    assert session.timeout == aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS)
    assert client.timeout.connect == CONNECT_SECONDS
    assert client.timeout.read is None
    assert client.timeout.pool is None
    await pool.close()


async def test_a_session_keeps_no_cookies_and_reads_no_passwords() -> None:
    pool = HttpPool()
    session = pool.aiohttp
    assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)
    assert not session.trust_env
    assert session.connector is not None
    assert session.connector.limit == MAX_CONNECTIONS
    await pool.close()
