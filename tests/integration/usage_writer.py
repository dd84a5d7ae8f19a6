"""Books usage for ever and says what is on disk, until somebody kills it.

Each line on stdout is ``booked N`` once N records are booked, and ``flushed N`` once they are on
disk.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from llm_runner_router.types import Metrics

METRICS = Metrics(prompt_tokens=3, cost_usd=0.1)
CALLERS = 3
BATCH = 4


async def write(path: Path) -> None:
    store = await RegistryStore.open(path)
    ledger = await UsageLedger.open(store.database, pause=0.0)
    for number in range(1, 100_000):
        ledger.record(f"c{number % CALLERS}", "m", METRICS, failed=False)
        if number % BATCH == 0:
            print(f"booked {number}", flush=True)
            await ledger.flush()
            print(f"flushed {number}", flush=True)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
