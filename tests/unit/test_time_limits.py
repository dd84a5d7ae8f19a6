from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llm_runner_router.errors import TimeLimitError
from llm_runner_router.time_limits import Patience, entered_by, is_over, time_limit
from unit.routing.virtual_time import now, virtual


@asynccontextmanager
async def lease(seconds: float, left: list[str]) -> AsyncIterator[str]:
    await asyncio.sleep(seconds)
    try:
        yield "held"
    finally:
        left.append("left")


@virtual
async def test_a_lease_is_entered_in_time_and_held_beyond() -> None:
    left: list[str] = []
    async with entered_by(now() + 2.0, lease(1.0, left), now) as held:
        await asyncio.sleep(9.0)
        assert held == "held"
        assert not left
    assert left == ["left"]


@virtual
async def test_a_lease_that_takes_too_long_is_not_entered() -> None:
    left: list[str] = []
    with pytest.raises(TimeLimitError, match="while the model was loaded"):
        async with entered_by(now() + 2.0, lease(3.0, left), now):
            pytest.fail("entered")
    assert not left


@virtual
async def test_the_shorter_of_deadline_and_patience_ends_the_wait_for_a_lease() -> None:
    patience = Patience(2000.0, "a.setting")
    with pytest.raises(TimeLimitError, match=r"not ready for 2000 ms \(a\.setting\)"):
        async with entered_by(now() + 5.0, lease(9.0, []), now, patience):
            pytest.fail("entered")
    with pytest.raises(TimeLimitError, match="deadline"):
        async with entered_by(now() + 1.0, lease(9.0, []), now, patience):
            pytest.fail("entered")


@virtual
async def test_patience_may_have_begun_before() -> None:
    begun = now()
    await asyncio.sleep(1.0)
    with pytest.raises(TimeLimitError, match="no news for 1500 ms"):
        async with time_limit(Patience(1500.0), None, "no news", now, begun):
            await asyncio.sleep(9.0)
    assert now() - begun == pytest.approx(1.5)


@virtual
async def test_an_error_reaches_the_lease() -> None:
    left: list[str] = []
    with pytest.raises(KeyError):
        async with entered_by(None, lease(1.0, left), now):
            raise KeyError
    assert left == ["left"]


@virtual
async def test_patience_ends() -> None:
    begun = now()
    with pytest.raises(TimeLimitError, match=r"no news for 1500 ms \(a\.setting\)"):
        async with time_limit(Patience(1500.0, "a.setting"), now() + 9.0, "no news", now):
            await asyncio.sleep(5.0)
    assert now() - begun == pytest.approx(1.5)


@virtual
async def test_the_deadline_may_end_first() -> None:
    begun = now()
    with pytest.raises(TimeLimitError, match="the deadline passed"):
        async with time_limit(Patience(1500.0), now() + 1.0, "no news", now):
            await asyncio.sleep(5.0)
    assert now() - begun == pytest.approx(1.0)


@virtual
async def test_what_is_ready_in_time_passes() -> None:
    async with time_limit(Patience(1500.0), None, "no news", now):
        await asyncio.sleep(1.0)


@virtual
async def test_a_deadline_is_over_as_exactly_as_timers_are() -> None:
    assert not is_over(None, now)
    assert not is_over(now() + 0.1, now)
    assert is_over(now() + 0.001, now)
    assert is_over(now() - 1.0, now)
