from __future__ import annotations

import asyncio
import ssl
import threading

import aiohttp
import httpx
import httpx2
import pytest

from llm_runner_router.providers import http_pool
from llm_runner_router.providers.http_pool import CONNECT_SECONDS, MAX_CONNECTIONS, HttpPool
from llm_runner_router.providers.openai import OpenAIProvider
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat


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


async def test_threads_that_ask_at_once_get_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made, start, make = [], threading.Barrier(4), http_pool.new_client

    def slowly() -> httpx.AsyncClient:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(http_pool, "new_client", slowly)
    pool = HttpPool()

    def ask() -> httpx.AsyncClient:
        start.wait()
        return pool.httpx

    clients = await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(4)))
    await pool.close()
    assert clients == made * 4


async def test_a_prepared_pool_reads_no_certificates_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers, read = [], httpx2.create_ssl_context

    def noted() -> ssl.SSLContext:
        readers.append(threading.current_thread())
        return read()

    monkeypatch.setattr(httpx2, "create_ssl_context", noted)
    pool = HttpPool()
    record = ModelRecord("a", "a", ModelFormat.API, "m", provider="vllm")
    await asyncio.to_thread(OpenAIProvider.open, record, pool)
    assert not pool.aiohttp.closed
    await pool.close()
    assert len(readers) == 1
    assert readers[0] is not threading.main_thread()
