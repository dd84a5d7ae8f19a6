"""Snapshots on a disk that is full, and of processes that are killed: the file is old or new."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from core import snapshot_bytes as sb
from core import snapshot_writer, tiny_llama
from core.engine_client import client_of

KILLS = 50


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def processes() -> Iterator[ForkServerContext]:
    """Processes that have the core already: they are forked from one that has imported it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["core.snapshot_writer"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield context


def kill_while_saving(
    processes: ForkServerContext, model: Path, path: Path, chance: random.Random
) -> tuple[int, int]:
    """The numbers of the last save that was done, and of the last that had begun."""
    listening, telling = processes.Pipe(duplex=False)
    arguments = (model, path, telling)
    process = processes.Process(target=snapshot_writer.save_without_end, args=arguments)
    process.start()
    telling.close()
    told = {"begun": 0, "done": 0}
    began = 0.0
    for _ in range(chance.randrange(2, 6)):
        began = time.perf_counter()
        word, number = listening.recv()
        told[word] = number
    moment = time.perf_counter() + chance.random() * 2 * (time.perf_counter() - began)
    while time.perf_counter() < moment:  # some time of a save, without giving up the processor
        pass
    process.kill()
    process.join()
    try:
        while True:
            word, number = listening.recv()
            told[word] = number
    except EOFError:
        listening.close()
    return told["done"], told["begun"]


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(
    processes: ForkServerContext, model: Path, tmp_path: Path
) -> None:
    chance = random.Random(4)
    interrupted = 0
    for number in range(KILLS):
        path = tmp_path / str(number) / "kv"
        path.parent.mkdir()
        done, begun = kill_while_saving(processes, model, path, chance)
        interrupted += begun > done
        if not path.exists():
            assert done == 0
            continue
        found = sb.parse(path.read_bytes())
        assert found.key in {b"key %d" % done, b"key %d" % begun}
        assert len(found.blocks) == 20
    assert interrupted > KILLS // 4
    with client_of(snapshot_writer.engine_on(model)) as client:
        path.write_bytes(replace_key(path, b"key"))
        assert client.engine.restore_kv(path, "key") == 320
        asked = client.ask(snapshot_writer.PROMPT, max_tokens=1)
        assert client.last(asked).cached_tokens == 320


def replace_key(path: Path, key: bytes) -> bytes:
    found = sb.parse(path.read_bytes())
    found.key = key
    return found.build()


@pytest.mark.parametrize("limit", [0, 1, 60, 1000, 21_000])
def test_a_full_disk_leaves_the_old_file(
    processes: ForkServerContext, model: Path, tmp_path: Path, limit: int
) -> None:
    path = tmp_path / "kv"
    listening, telling = processes.Pipe(duplex=False)
    arguments = (model, path, limit, telling)
    process = processes.Process(target=snapshot_writer.save_with_little_disk, args=arguments)
    process.start()
    telling.close()
    code, reason, files = listening.recv()
    process.join()
    assert (code, reason) == ("RESOURCE_EXHAUSTED", "DISK_FULL")
    assert files == ["kv"]
    found = sb.parse(path.read_bytes())
    assert (found.key, len(found.blocks)) == (b"old", 20)
