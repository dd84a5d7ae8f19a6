"""The registry under kill -9: each operation happened wholly or not at all."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration import registry_writer, usage_writer
from integration.registry_writer import MODELS, TARGETS, alias, extras, record
from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.usage.ledger import UsageLedger
from unit.registry.places import bare
from unit.registry.storage.old_files import MODEL, SCRIPTS, contents_of, write

ROOT = Path(__file__).parents[2]
KILLS = {"register": 50, "update": 50, "move": 50, "churn": 15}


class Writer:
    """Forks processes that write, and kills them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def kill_after(self, kind: str, path: Path, lines: int, seconds: float) -> list[str]:
        """What a writer says; it is killed ``seconds`` after it has said some lines."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {path}\n".encode())
        said = [self._line() for _ in range(lines + 1)]
        self._kill(int(said[0].split()[1]), seconds)
        while said[-1] != "ended":
            said.append(self._line())
        return said

    def kill_once(self, kind: str, path: Path, created: Path, seconds: float) -> None:
        """Kill a writer ``seconds`` after a file is there, before it has changed much."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {path}\n".encode())
        process = int(self._line().split()[1])
        while not created.exists():
            pass
        self._kill(process, seconds)
        while self._line() != "ended":
            pass

    def _kill(self, process: int, seconds: float) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:  # finer than sleeping
            pass
        os.kill(process, signal.SIGKILL)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith(b"\n")
        return line.decode().strip()


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, registry_writer.__file__]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, bufsize=0) as process:
        yield Writer(process)
        assert process.stdin is not None
        process.stdin.close()


def wanted(kind: str, changes: int) -> tuple[dict[str, Any], dict[str, Any], dict[Any, Any]]:
    """Models, aliases and extras after the first changes of a writer."""
    numbers = range(changes)
    if kind == "move":
        models = {TARGETS[n]: record(TARGETS[n], n) for n in numbers[: len(TARGETS)]}
        aliases = {"latest": alias(changes - 1)} if changes > len(TARGETS) else {}
        return models, aliases, {}
    if kind == "update":
        models = {f"m{n % MODELS}": record(f"m{n % MODELS}", n) for n in numbers}
        return models, {}, {k: v for n in numbers[:MODELS] for k, v in extras(f"m{n}", n).items()}
    if kind == "churn":
        numbers = range(changes - 1, changes) if changes % 2 else range(0)
    models = {f"m{n}": record(f"m{n}", n) for n in numbers}
    return models, {}, {k: v for n in numbers for k, v in extras(f"m{n}", n).items()}


@pytest.mark.parametrize("kind", KILLS)
async def test_a_killed_writer_leaves_whole_operations(
    tmp_path: Path, writer: Writer, kind: str
) -> None:
    """Each process goes on with what the one before has left."""
    choice = random.Random(kind)
    path, before = tmp_path / "r.db", 0
    for _ in range(KILLS[kind]):
        said = writer.kill_after(kind, path, choice.randrange(1, 8), choice.uniform(0, 0.006))
        store = await RegistryStore.open(path)
        models = {record.id: bare(record) for record in store.models()}
        aliases = {alias.id: replace(alias, etag="") for alias in store.aliases()}
        # What was done is there; what began may be; nothing else. The log says which.
        begun = before + sum(line.startswith("begin") for line in said)
        done = before + sum(line.startswith("done") for line in said)
        assert done <= store.sequence <= begun <= done + 1
        assert (models, aliases, store.extras()) == wanted(kind, store.sequence)
        if kind == "move":
            assert store.resolve("target") == (store.models()[-1] if models else None)
        before = store.sequence
        await store.close()
    assert before > KILLS[kind]


@pytest.mark.parametrize("suffix", [".lock", "", "-wal"])
async def test_a_writer_killed_while_it_creates_the_file(
    tmp_path: Path, writer: Writer, suffix: str
) -> None:
    choice = random.Random(suffix)
    for number in range(10):
        path = tmp_path / f"{number}.db"
        created = path.with_name(path.name + suffix)
        writer.kill_once("register", path, created, choice.uniform(0, 0.03))
        store = await RegistryStore.open(path)
        found = {record.id: bare(record) for record in store.models()}
        assert found == wanted("register", store.sequence)[0]
        await store.add(record("new", 1))
        await store.close()


@pytest.mark.parametrize("version", SCRIPTS)
async def test_a_writer_killed_while_it_upgrades_the_file(
    tmp_path: Path, writer: Writer, version: int
) -> None:
    choice, versions = random.Random(version), []
    write(tmp_path / "r.db", SCRIPTS[version])
    begin = time.perf_counter()
    writer.kill_after("churn", tmp_path / "r.db", 1, 0.0)  # which says that it has begun to write
    seconds = time.perf_counter() - begin
    for number in range(12):
        path = tmp_path / f"{number}.db"
        write(path, SCRIPTS[version])
        before = contents_of(path)
        lock = path.with_name(path.name + ".lock")
        writer.kill_once("churn", path, lock, choice.uniform(0, 1.2 * seconds))
        after = contents_of(path)
        assert after == before or after[0] == 3
        versions.append(after[0])
        store = await RegistryStore.open(path)
        assert store.get("m") == MODEL
        await store.close()
    assert version in versions  # else none was killed in time


def said_until_killed(command: list[str], lines: int, bytes_more: int) -> list[str]:
    """The whole lines that a writer says before it is killed, which is after ``lines`` of them."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    command = [sys.executable, *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, bufsize=0) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        said.append(os.read(process.stdout.fileno(), 1 + bytes_more))
        process.kill()
        said.append(process.stdout.read())
        process.wait()
    text = b"".join(said).decode()
    return text[: text.rfind("\n") + 1].splitlines()


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
