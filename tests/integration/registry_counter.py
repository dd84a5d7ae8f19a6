"""Counts up in a record of a shared registry; begins once it is told to, on stdin."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

from llm_runner_router.errors import ConflictError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.store import RegistryStore


def counted(record: ModelRecord) -> ModelRecord:
    """One more."""
    return replace(record, labels={"count": str(int(record.labels["count"]) + 1)})


async def count_up(store: RegistryStore) -> None:
    """Try until it succeeds, each time with what this process sees."""
    while True:
        seen, etag = store.position, store.get("m").etag
        try:
            await store.update("m", counted, etag)
        except ConflictError:
            if store.get("m").etag == etag:
                await store.changed(seen)
        else:
            return


async def main(url: str, times: int) -> None:
    store = await RegistryStore.open(url)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for _ in range(times):
        await count_up(store)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
