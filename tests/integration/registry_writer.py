"""Writes to registries for ever and says what it does, until somebody kills it.

Each line on stdin, ``KIND PATH``, makes a new process that does ``OPERATIONS[KIND]`` to a registry
again and again: forked here, where everything is imported already. It says ``pid N``, then
``begin N`` before and ``done N`` after its change N, counted from the first change of the registry.
Once it is killed, ``ended`` is said.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path

# Imported before the fork: it is needed for an upgrade.
import alembic.command
import alembic.config  # noqa: F401

from llm_runner_router.registry.records import (
    Alias,
    AliasTarget,
    ImportMode,
    ModelConfig,
    ModelRecord,
)
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat

MODELS = 4
TARGETS = ("target@0", "target@1")


def record(name: str, number: int) -> ModelRecord:
    """What change ``number`` writes: every field tells the number."""
    return ModelRecord(
        id=name,
        name=f"name {number}",
        format=ModelFormat.GGUF,
        source=f"/models/{number}.gguf",
        config=ModelConfig(max_tokens=number + 1, stop=(str(number),)),
        labels={"number": str(number), "padding": "x" * 1000},
    )


def extras(name: str, number: int) -> dict[tuple[str, str], dict[str, int]]:
    """What an import of change ``number`` says beyond its record."""
    return {("model", name): {"number": number}}


def alias(number: int) -> Alias:
    """The alias as change ``number`` moves it."""
    return Alias("latest", (AliasTarget(TARGETS[number % 2]),), fallbacks=(TARGETS[0],) * number)


async def register(store: RegistryStore, number: int) -> None:
    """A new model with extras; each is there once."""
    name = f"m{number}"
    await store.import_all([record(name, number)], [], extras(name, number), mode=ImportMode.KEEP)


async def update(store: RegistryStore, number: int) -> None:
    """One of a few models; they come into being by an import, so that they have extras."""
    name = f"m{number % MODELS}"
    if name in store:
        await store.update(name, lambda _: record(name, number), store.get(name).etag)
    else:
        await register(store, number % MODELS)


async def move(store: RegistryStore, number: int) -> None:
    """The alias, from one target to the other; the first changes make them."""
    if number < len(TARGETS):
        await store.add(record(TARGETS[number], number))
    else:
        present = store.alias("latest")
        etag = "" if present is None else present.etag
        await store.set_alias(replace(alias(number), etag=etag))


async def churn(store: RegistryStore, number: int) -> None:
    """A model comes, and goes with its extras."""
    if number % 2:
        await store.remove(f"m{number - 1}")
    else:
        await register(store, number)


OPERATIONS: Mapping[str, Callable[[RegistryStore, int], Awaitable[None]]] = {
    "register": register,
    "update": update,
    "move": move,
    "churn": churn,
}


async def write(kind: str, path: Path) -> None:
    store = await RegistryStore.open(path)
    for number in count(store.sequence):
        say(f"begin {number}")
        await OPERATIONS[kind](store, number)
        say(f"done {number}")


def say(line: str) -> None:
    """Say it by one call of the system: a kill between two would glue the next line to half of it.

    ``print`` writes the end of its line apart where Python's output is unbuffered.
    """
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main() -> None:
    for line in sys.stdin:
        kind, _, path = line.strip().partition(" ")
        process = os.fork()
        if process == 0:
            say(f"pid {os.getpid()}")
            asyncio.run(write(kind, Path(path)))
        os.waitpid(process, 0)
        say("ended")


if __name__ == "__main__":
    main()
