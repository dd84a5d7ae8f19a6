"""A registry file that cannot grow."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError, UnavailableError
from llm_runner_router.registry.records import ImportMode, ModelRecord
from llm_runner_router.registry.store import RegistryStore
from unit.echoes import model

LARGE = {"padding": "x" * 4000}


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a full disk or a quota does, the kernel refuses what goes beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def fill(store: RegistryStore) -> None:
    """Add models until it fails."""
    for number in range(1000):
        await store.add(model(f"m{number}", labels=LARGE))


def state(store: RegistryStore) -> tuple[list[ModelRecord], int, int]:
    return list(store.models()), store.sequence, store.revision


async def failing_changes(store: RegistryStore) -> None:
    """All kinds of changes fail, and change nothing."""
    before = state(store)
    many = [model(f"n{number}", labels=LARGE) for number in range(50)]
    for change in (
        lambda: store.update("m0", lambda record: replace(record, labels={"a": "x" * 100_000})),
        lambda: store.import_all(many, [], {}, mode=ImportMode.KEEP),
    ):
        with pytest.raises(UnavailableError, match="cannot be used"):
            await change()
        assert state(store) == before


async def test_a_file_of_limited_pages(tmp_path: Path) -> None:
    store = await RegistryStore.open(tmp_path / "r.db")
    async with store.database.begin() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count=60")
    with pytest.raises(UnavailableError, match="full"):
        await fill(store)
    await failing_changes(store)
    before = state(store)
    await store.close()
    store = await RegistryStore.open(tmp_path / "r.db")
    assert state(store)[:2] == before[:2]
    await store.add(model("more", labels=LARGE))
    await store.close()


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    store = await RegistryStore.open(tmp_path / "r.db")
    with no_file_larger_than(300_000):
        with pytest.raises(UnavailableError, match="cannot be used"):
            await fill(store)
        await failing_changes(store)
    added = await store.add(model("room again", labels=LARGE))
    before = state(store)
    await store.close()
    store = await RegistryStore.open(tmp_path / "r.db")
    assert state(store)[:2] == before[:2]
    assert store.get("room again") == added
    await store.close()


async def test_a_new_file_on_a_full_disk_is_no_half_registry(tmp_path: Path) -> None:
    for size in (0, 4096, 20_000, 60_000):
        with no_file_larger_than(size), pytest.raises(InvalidConfigError):
            await RegistryStore.open(tmp_path / f"{size}.db")
        store = await RegistryStore.open(tmp_path / f"{size}.db")
        await store.add(model())
        await store.close()
