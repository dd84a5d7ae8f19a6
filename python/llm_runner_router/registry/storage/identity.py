"""Which registry a database holds."""

from __future__ import annotations

import secrets

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.storage.schema import identity


async def write_epoch(connection: AsyncConnection) -> None:
    """Make a registry one of its own. Done once, when its tables are made."""
    await connection.execute(insert(identity).values(epoch=secrets.token_hex(8)))


async def read_epoch(connection: AsyncConnection) -> str:
    """What tells this registry from others. ValueError where it does not say."""
    found = (await connection.execute(select(identity))).scalars().all()
    if len(found) != 1:
        raise ValueError("it has no identity")
    return str(found[0])
