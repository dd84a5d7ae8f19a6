"""The store that the configuration asks for."""

from __future__ import annotations

from llm_runner_router.cache.memory import MemoryStore
from llm_runner_router.cache.store import AnswerStore
from llm_runner_router.config.routing import CacheConfig
from llm_runner_router.errors import InvalidConfigError


def open_store(config: CacheConfig) -> AnswerStore:
    """Memory, or the Redis of ``url``, which need not be up. InvalidConfigError for a wrong one."""
    if config.url is None or not config.enabled:
        return MemoryStore(config.max_bytes)
    return open_redis(config.url)


def open_redis(url: str) -> AnswerStore:
    """A client. The error shows the scheme alone: an address may hold a password."""
    shown = f"{url.partition('://')[0]}://…"
    try:
        from llm_runner_router.cache.redis import RedisStore  # noqa: PLC0415 - an extra
    except ImportError:
        allowed = "null, or an address with the extra `redis` installed (llm-runner-router[redis])"
        raise InvalidConfigError("cache.url", shown, allowed) from None
    try:
        return RedisStore(url)
    except (ValueError, TypeError):
        allowed = "redis://host:port/database, rediss://… or unix:///path"
        raise InvalidConfigError("cache.url", shown, allowed) from None
