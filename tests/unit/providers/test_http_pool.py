from __future__ import annotations

from llm_runner_router.providers.http_pool import CONNECT_SECONDS, HttpPool


async def test_one_pool_for_each_library_until_it_is_closed() -> None:
    pool = HttpPool()
    await pool.close()
    modern, older = pool.httpx2, pool.httpx
    assert pool.httpx2 is modern
    assert pool.httpx is older
    for client in (modern, older):
        assert client.timeout.connect == CONNECT_SECONDS
        assert client.timeout.read is None
        assert client.timeout.pool is None
    await pool.close()
    await pool.close()
    assert modern.is_closed
    assert older.is_closed
    assert not pool.httpx2.is_closed
    await pool.close()
