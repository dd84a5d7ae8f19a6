from __future__ import annotations

import sys

import pytest

from llm_runner_router.cache.memory import MemoryStore
from llm_runner_router.cache.opening import open_store
from llm_runner_router.cache.redis import RedisStore
from llm_runner_router.config.routing import CacheConfig
from llm_runner_router.errors import InvalidConfigError

MODULE = "llm_runner_router.cache.redis"


async def test_memory_is_the_default() -> None:
    store = open_store(CacheConfig())
    assert isinstance(store, MemoryStore)
    await store.close()


async def test_a_url_means_redis() -> None:
    store = open_store(CacheConfig(url="redis://127.0.0.1:1/0"))
    assert isinstance(store, RedisStore)
    await store.close()


def test_redis_is_not_even_imported_where_the_cache_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    assert isinstance(open_store(CacheConfig(url="redis://x", enabled=False)), MemoryStore)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(InvalidConfigError, match=r"cache\.url.*llm-runner-router\[redis\]"):
        open_store(CacheConfig(url="redis://x"))


@pytest.mark.parametrize("url", ["redis://:secret@host:port/0", "redis://:secret@host?db=x&a=b"])
def test_a_wrong_address_is_refused_and_its_password_not_shown(url: str) -> None:
    with pytest.raises(InvalidConfigError, match=r"cache\.url") as caught:
        open_store(CacheConfig(url=url))
    assert "secret" not in str(caught.value)
    assert "host" not in str(caught.value.value)
