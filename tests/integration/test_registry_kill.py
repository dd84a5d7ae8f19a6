"""The registry under kill -9: each operation happened wholly or not at all."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from integration import registry_writer, usage_writer
from llm_runner_router.registry.records import ModelRecord, UsageQuery
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage import UsageLedger

ROOT = Path(__file__).parents[2]


def said_until_killed(command: list[str], lines: int, bytes_more: int) -> list[str]:
    """The whole lines that a writer says before it is killed, which is after ``lines`` of them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, bufsize=0) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        said.append(os.read(writer.stdout.fileno(), 1 + bytes_more))
        writer.kill()
        said.append(writer.stdout.read())
        writer.wait()
    text = b"".join(said).decode()
    return text[: text.rfind("\n") + 1].splitlines()


def kill_after(path: Path, seed: int, lines: int, bytes_more: int) -> tuple[int, int]:
    """Kill a writer once it has said ``lines`` lines; how many operations began and were done."""
    command = [registry_writer.__file__, str(path), str(seed)]
    whole = said_until_killed(command, lines, bytes_more)
    begun = sum(line.startswith("begin") for line in whole)
    done = sum(line.startswith("done") for line in whole)
    return begun, done


def kill_once_there(path: Path, created: Path) -> None:
    """Kill a writer as soon as it has created a file."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, registry_writer.__file__, str(path), "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as writer:
        while not created.exists():
            assert writer.poll() is None
        writer.kill()


def expected(seed: int, count: int) -> dict[str, ModelRecord]:
    """The records after the first ``count`` operations."""
    records: dict[str, ModelRecord] = {}
    for kind, name, number in registry_writer.operations(seed)[:count]:
        if kind == "remove":
            del records[name]
        else:
            records[name] = registry_writer.record(name, number)
    return records


@pytest.mark.parametrize("seed", range(20))
async def test_a_killed_writer_leaves_whole_operations(tmp_path: Path, seed: int) -> None:
    choice = random.Random(1000 + seed)
    path = tmp_path / "r.db"
    begun, done = kill_after(path, seed, choice.randrange(0, 40), choice.randrange(0, 30))
    store = await RegistryStore.open(path)
    found = {record.id: replace(record, etag="") for record in store.page("", 1000)}
    await store.add(registry_writer.record("new", 1))
    await store.close()
    # What was done is there; what began may be; nothing else.
    assert found in (expected(seed, done), expected(seed, begun))
    assert begun - done in (0, 1)


@pytest.mark.parametrize("suffix", [".lock", "", "-wal"])
async def test_a_writer_killed_while_it_creates_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "r.db"
    kill_once_there(path, path.with_name(path.name + suffix))
    store = await RegistryStore.open(path)
    for record in store.page("", 1000):
        number = int(record.labels["number"])
        assert replace(record, etag="") == registry_writer.record(record.id, number)
    await store.add(registry_writer.record("new", 1))
    await store.close()


@pytest.mark.parametrize("seed", range(8))
async def test_usage_that_was_flushed_outlives_a_kill(tmp_path: Path, seed: int) -> None:
    choice = random.Random(seed)
    path = tmp_path / "r.db"
    command = [usage_writer.__file__, str(path)]
    whole = said_until_killed(command, choice.randrange(0, 60), choice.randrange(0, 30))
    told = {word: int(number) for word, number in (line.split() for line in whole)}
    store = await RegistryStore.open(path)
    ledger = await UsageLedger.open(store.database)
    rows = await ledger.rows(UsageQuery())
    await ledger.close()
    await store.close()
    booked = sum(row.requests for row in rows)
    # Transactions are whole: what is there are the first records, some more than were flushed.
    assert told.get("flushed", 0) <= booked <= told.get("flushed", 0) + usage_writer.BATCH
    assert sum(row.prompt_tokens for row in rows) == 3 * booked
    assert sum(round(10 * row.cost_usd) for row in rows) == booked
    callers = [f"c{number % usage_writer.CALLERS}" for number in range(1, booked + 1)]
    wanted = {caller: callers.count(caller) for caller in set(callers)}
    assert {row.caller: row.requests for row in rows} == wanted
