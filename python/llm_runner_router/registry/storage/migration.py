"""The tables of a database are brought to the present revision, in one transaction."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from llm_runner_router.registry.storage import schema
from llm_runner_router.registry.storage.identity import write_epoch
from llm_runner_router.registry.storage.location import EMPTY, UNKNOWN, Location

PRESENT = schema.REVISIONS[-1]
USABLE = (EMPTY, *schema.REVISIONS)
ALLOWED = f"a registry of revision {PRESENT} or older"


async def migrate(connection: AsyncConnection, location: Location) -> None:
    """Fill an empty database, or upgrade an older one.

    InvalidConfigError where it is anything else; whoever began the transaction rolls it back.
    """
    before = await stored_revision(connection, location)
    if before == PRESENT:
        return
    if before not in USABLE:
        raise location.unusable(ALLOWED)
    await location.claim(connection)
    # Another process may have been faster.
    if await stored_revision(connection, location) == PRESENT:
        return
    await connection.run_sync(create if before == EMPTY else upgrade, before)
    await write_epoch(connection)
    await location.fence(connection)


async def stored_revision(connection: AsyncConnection, location: Location) -> str:
    """The revision of what is there; EMPTY where nothing is, UNKNOWN where it is not ours."""
    tables = await connection.run_sync(lambda plain: inspect(plain).get_table_names())
    if schema.revision.name in tables:
        found = (await connection.execute(select(schema.revision))).scalars().all()
        return found[0] if len(found) == 1 else UNKNOWN
    former = await location.former_revision(connection)
    return UNKNOWN if tables and former == EMPTY else former


def create(connection: Connection, _: str) -> None:
    """All tables at once, without Alembic: importing it takes longer than all the rest."""
    schema.metadata.create_all(connection)
    schema.revision.create(connection)
    connection.execute(insert(schema.revision).values(version_num=PRESENT))


def upgrade(connection: Connection, before: str) -> None:
    """Run the revisions behind ``before``."""
    from alembic import command  # noqa: PLC0415 - slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "newline")
    if not inspect(connection).has_table(schema.revision.name):
        command.stamp(config, before)
    command.upgrade(config, PRESENT)
