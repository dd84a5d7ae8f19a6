"""Processes that save snapshots: to be killed, or to run out of disk."""

from __future__ import annotations

import resource
from multiprocessing.connection import Connection
from pathlib import Path

from core import tiny_llama
from core.engine_client import client_of
from llm_runner_router import _core

TOKENS = [f" {i}".encode() for i in range(tiny_llama.VOCABULARY)]
PROMPT = [1 + i % 90 for i in range(321)]


def engine_on(model: Path, *, threads: int = 1) -> _core.Engine:
    config = _core.EngineConfig(
        model_path=str(model), threads=threads, kv_blocks=64, max_undelivered=1 << 20
    )
    return _core.Engine(config, TOKENS, [0])


def save_without_end(model: Path, path: Path, telling: Connection) -> None:
    """Save again and again, each time under another key, and tell when one begins and is done."""
    with client_of(engine_on(model)) as client:
        client.ask(PROMPT, max_tokens=1)
        number = 0
        while True:
            number += 1
            telling.send(("begun", number))
            client.engine.save_kv(path, f"key {number}")
            telling.send(("done", number))


def save_with_little_disk(model: Path, path: Path, limit: int, telling: Connection) -> None:
    """Save under the key ``old``, then ``new`` with a limit on files; tell the error."""
    with client_of(engine_on(model)) as client:
        client.ask(PROMPT, max_tokens=1)
        client.engine.save_kv(path, "old")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            client.engine.save_kv(path, "new")
        except _core.CoreError as error:
            telling.send((error.code, error.reason, [file.name for file in path.parent.iterdir()]))
