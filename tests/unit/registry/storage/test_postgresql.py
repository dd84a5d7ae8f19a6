"""Addresses of a PostgreSQL that cannot be used, and what errors show of them."""

from __future__ import annotations

import sys

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.storage.postgresql import shown
from llm_runner_router.registry.store import RegistryStore
from plugins.postgresql import PostgresqlServer

SECRET = "h0t/s3cret"
HALVES = ("h0t", "s3cret")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://user:{SECRET}@host/db",
        f"postgresql:user:{SECRET}",
        f"user:{SECRET}@host",
        "",
        f"postgresql://user:{SECRET}@host/db",
        "postgresql://user:h0t%2Fs3cret@localhost:1/db",
        "postgresql://user:h0t%2Fs3cret@localhost:x/db",
        "postgresql://user:h0t%2Fs3cret@127.0.0.1:99999/db",
        "postgresql://localhost:1/db?password=h0t%2Fs3cret",
        "postgresql://localhost:1/db?password=h0t%2Fs3cret&sslmode=strange",
        "postgres://user:h0t%2Fs3cret@/db?host=/nowhere",
        "postgresql://user:h0t%2Fs3cret@[::1/db",
    ],
)
async def test_errors_show_no_password(url: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        await RegistryStore.open(url)
    assert caught.value.field == "registry.url"
    for half in HALVES:
        assert half not in str(caught.value)
        assert half not in repr(caught.value.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://user:pw@host:5432/db?sslmode=require", "postgresql://host:5432/db"),
        ("postgres://host/db", "postgres://host/db"),
        ("postgresql:///db?host=/run", "postgresql:///db"),
        ("postgresql://user:p/w@host/db", "postgresql://…"),
        ("postgresql://user:1/w@host/db", "postgresql://…"),
        ("postgresql://user:1?w@host/db", "postgresql://…"),
        ("postgresql://user:1#w@host/db", "postgresql://…"),
        ("postgresql://user:pw@host:port/db", "postgresql://…"),
    ],
)
def test_what_is_shown_of_an_address(url: str, wanted: str) -> None:
    assert shown(url) == wanted


async def test_a_database_that_is_not_there(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(InvalidConfigError, match='database "missing" does not exist') as caught:
        await RegistryStore.open(postgresql_server.url("missing"))
    assert "secret" not in str(caught.value)


async def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    monkeypatch.delitem(sys.modules, "llm_runner_router.registry.storage.postgresql")
    with pytest.raises(InvalidConfigError, match=r"llm-runner-router\[postgresql\]") as caught:
        await RegistryStore.open(f"postgresql://user:{SECRET}@host/db")
    assert caught.value.field == "registry.url"
    assert "h0t" not in str(caught.value)
