from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.providers.inbox import Inbox
from unit.echoes import settle


async def test_everything_that_waits_is_taken_at_once() -> None:
    inbox = Inbox[int]()
    inbox.put(1)
    inbox.put(2)
    assert await inbox.take() == [1, 2]
    waiting = asyncio.ensure_future(inbox.take())
    await settle()
    assert not waiting.done()
    inbox.put(3)
    assert await waiting == [3]


async def test_a_failure_comes_behind_what_waits() -> None:
    inbox = Inbox[int]()
    inbox.put(1)
    inbox.fail(ValueError("gone"))
    assert await inbox.take() == [1]
    for _ in range(2):
        with pytest.raises(ValueError, match="gone"):
            await inbox.take()


async def test_a_failure_wakes_the_consumer() -> None:
    inbox = Inbox[int]()
    waiting = asyncio.ensure_future(inbox.take())
    await settle()
    inbox.fail(ValueError("gone"))
    with pytest.raises(ValueError, match="gone"):
        await waiting
