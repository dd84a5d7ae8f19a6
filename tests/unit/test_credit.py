from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.credit import MAX_CREDITS, CreditAccount
from llm_runner_router.errors import InvalidRequestError
from unit.echoes import settle


async def test_unlimited_until_the_first_grant() -> None:
    account = CreditAccount()
    for _ in range(100):
        await account.spend()


async def test_counted_from_the_first_grant() -> None:
    account = CreditAccount()
    account.grant(2)
    await account.spend()
    await account.spend()
    third = asyncio.ensure_future(account.spend())
    await settle()
    assert not third.done()
    account.grant(1)
    await third


@pytest.mark.parametrize("chunks", [0, -1, MAX_CREDITS + 1])
async def test_wrong_grants_are_refused(chunks: int) -> None:
    with pytest.raises(InvalidRequestError):
        CreditAccount().grant(chunks)


async def test_grants_do_not_overflow() -> None:
    account = CreditAccount()
    account.grant(MAX_CREDITS)
    with pytest.raises(InvalidRequestError):
        account.grant(1)
