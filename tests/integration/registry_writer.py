"""Writes to a registry for ever and says what it does, until somebody kills it.

Each line on stdout is ``begin N`` before and ``done N`` after operation N.
"""

from __future__ import annotations

import asyncio
import random
import sys
from dataclasses import replace
from pathlib import Path

from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat

MODELS = 5


def operations(seed: int) -> list[tuple[str, str, int]]:
    """(kind, model, number) of every operation that a seed stands for."""
    choice = random.Random(seed)
    present: set[str] = set()
    found = []
    for number in range(100_000):
        name = f"m{choice.randrange(MODELS)}"
        kind = choice.choice(["update", "remove"]) if name in present else "add"
        if kind == "add":
            present.add(name)
        elif kind == "remove":
            present.remove(name)
        found.append((kind, name, number))
    return found


def record(name: str, number: int) -> ModelRecord:
    """What operation ``number`` writes: every field tells the number."""
    return ModelRecord(
        id=name,
        name=f"name {number}",
        format=ModelFormat.GGUF,
        source=f"/models/{number}.gguf",
        config=ModelConfig(max_tokens=number + 1, stop=(str(number),)),
        labels={"number": str(number), "padding": "x" * 1000},
    )


async def write(path: Path, seed: int) -> None:
    store = await RegistryStore.open(path)
    for kind, name, number in operations(seed):
        print(f"begin {number}", flush=True)
        wanted = record(name, number)
        if kind == "add":
            await store.add(wanted)
        elif kind == "update":
            await store.update(name, lambda present, new=wanted: replace(new, etag=present.etag))
        else:
            await store.remove(name)
        print(f"done {number}", flush=True)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
