"""What follows a whole answer is read as long as it is worth it."""

from __future__ import annotations

import asyncio

from llm_runner_router.errors import ProviderFailedError
from llm_runner_router.providers.draining import drained


async def test_it_reads_up_to_the_end() -> None:
    left: list[object] = ["a", "b", None, "of another answer"]

    async def read() -> object:
        return left.pop(0)

    await drained(read)
    assert left == ["of another answer"]


async def test_what_goes_wrong_does_no_harm() -> None:
    async def read() -> object:
        raise ProviderFailedError("broke off")

    await drained(read)


async def test_an_end_that_does_not_come_is_not_waited_for() -> None:
    await drained(asyncio.Event().wait)
