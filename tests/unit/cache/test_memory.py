from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.cache.memory import ENTRY_BYTES, MemoryStore, size


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def store_of(entries: int, clock: Clock | None = None) -> MemoryStore:
    """Room for so many entries of one byte each under keys of one letter."""
    return MemoryStore(entries * (ENTRY_BYTES + 2), clock=clock or Clock())


async def test_what_was_put_comes_back_until_it_expires() -> None:
    clock = Clock()
    store = store_of(2, clock)
    await store.put("a", b"1", 10)
    clock.now = 9.9
    assert await store.get("a") == b"1"
    clock.now = 10.0
    assert await store.get("a") is None
    assert store.bytes_used == 0


async def test_the_least_recently_used_goes_first() -> None:
    store = store_of(2)
    await store.put("a", b"1", 10)
    await store.put("b", b"2", 10)
    assert await store.get("a") == b"1"
    await store.put("c", b"3", 10)
    assert [await store.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_the_newest_value_counts() -> None:
    store = store_of(2)
    await store.put("a", b"1", 10)
    await store.put("a", b"2", 10)
    assert await store.get("a") == b"2"
    assert store.bytes_used == size("a", b"2")


async def test_what_is_larger_than_the_store_is_not_kept_and_costs_nobody_a_place() -> None:
    store = store_of(2)
    await store.put("a", b"1", 10)
    await store.put("b", b"x" * 10_000, 10)
    assert await store.get("b") is None
    assert await store.get("a") == b"1"


async def test_without_room_nothing_is_kept() -> None:
    store = MemoryStore(0)
    await store.put("a", b"", 10)
    assert await store.get("a") is None


async def test_closing_forgets() -> None:
    store = store_of(2)
    await store.put("a", b"1", 10)
    await store.close()
    await store.close()
    assert await store.get("a") is None
    assert store.bytes_used == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.binary(max_size=600)), max_size=30))
async def test_it_never_holds_more_than_its_limit(puts: list[tuple[str, bytes]]) -> None:
    store = MemoryStore(1000)
    for key, value in puts:
        await store.put(key, value, 10)
        assert store.bytes_used <= 1000
        kept = [(key, value) for key in "abcdef" if (value := await store.get(key)) is not None]
        assert store.bytes_used == sum(size(key, value) for key, value in kept)
