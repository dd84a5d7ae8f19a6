"""Engines on a small model, whose cached prefixes are saved and restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core import tiny_llama
from core.engine_client import Client, client_of
from llm_runner_router import _core

TOKENS = [f" {i}".encode() for i in range(tiny_llama.VOCABULARY)]
KEY = "a model and its settings"


@contextmanager
def client_on(path: Path, **config: Any) -> Iterator[Client]:
    settings = {"threads": 1, "max_undelivered": 1 << 20, "kv_blocks": 80, **config}
    engine = _core.Engine(_core.EngineConfig(model_path=str(path), **settings), TOKENS, [0])
    with client_of(engine) as client:
        yield client


def answer(client: Client, prompt: list[int]) -> tuple[int, tuple[object, ...]]:
    """How many tokens of the prompt were cached, and everything about the answer."""
    asked = client.ask(prompt, max_tokens=6, temperature=0.0, logprobs=4)
    return client.last(asked).cached_tokens, client.answer(asked)


def saved(model: Path, path: Path, *prompts: list[int], **config: Any) -> int:
    with client_on(model, **config) as client:
        for prompt in prompts:
            client.ask(prompt, max_tokens=1)
        return client.engine.save_kv(path, KEY)


def reason_of(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.reason)
