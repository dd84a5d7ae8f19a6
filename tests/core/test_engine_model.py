"""The engine on a real, small model: bit-identical answers, reuse, sizes, loading."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core import tiny_llama
from core.engine_client import Client, client_of
from llm_runner_router import _core

TOKENS = [f" {i}".encode() for i in range(tiny_llama.VOCABULARY)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write(tmp_path_factory.mktemp("model") / "tiny.gguf")


def load(path: Path, **config: Any) -> _core.Engine:
    settings = {"threads": 1, "max_undelivered": 1 << 20, **config}
    return _core.Engine(_core.EngineConfig(model_path=str(path), **settings), TOKENS, [0])


@contextmanager
def client_on(path: Path, **config: Any) -> Iterator[Client]:
    with client_of(load(path, **config)) as client:
        yield client


def questions(count: int) -> list[list[int]]:
    chance = random.Random(5)
    shared = [[chance.randrange(1, 96) for _ in range(60)] for _ in range(3)]
    return [
        shared[i % 3][: chance.randrange(60)] + [1 + i] + [chance.randrange(1, 96)] * (i % 5)
        for i in range(count)
    ]


def settings_of(i: int) -> dict[str, Any]:
    return {
        "max_tokens": 4 + i % 24,
        "temperature": (0.0, 0.8)[i % 2],
        "seed": i,
        "logprobs": 3,
        "caller": i % 4,
    }


@pytest.mark.parametrize("kv_type", ["f32", "f16"])
@pytest.mark.parametrize(
    "crowd",
    [
        {"max_sequences": 64},
        {"max_sequences": 16, "batch_tokens": 24, "kv_blocks": 40, "block_size": 4},
        {"max_sequences": 64, "prefix_cache": False, "batch_tokens": 100, "block_size": 8},
    ],
)
def test_64_at_once_are_bit_identical_to_one_by_one(
    model: Path, kv_type: str, crowd: dict[str, Any]
) -> None:
    asked = questions(64)
    with client_on(model, max_sequences=1, prefix_cache=False, kv_type=kv_type) as client:
        alone = [client.answer(client.ask(q, **settings_of(i))) for i, q in enumerate(asked)]
    with client_on(model, kv_type=kv_type, **crowd) as client:
        ids = [client.submit(q, **settings_of(i)) for i, q in enumerate(asked)]
        client.finish(*ids)
        assert [client.answer(i) for i in ids] == alone
        stats = client.engine.stats()
        assert stats.blocks_held == 0
        assert stats.preemptions > 0 or "kv_blocks" not in crowd


def test_cancelling_half_leaves_the_others_untouched(model: Path) -> None:
    asked = questions(64)
    with client_on(model, max_sequences=1, prefix_cache=False) as client:
        alone = [client.answer(client.ask(q, **settings_of(i))) for i, q in enumerate(asked)]
    with client_on(model, max_sequences=64) as client:
        ids = [client.submit(q, **settings_of(i)) for i, q in enumerate(asked)]
        client.until(lambda: sum(len(e) for e in client.events.values()) > 100)
        for i in ids[::2]:
            client.engine.cancel(i)
        client.finish(*ids)
        assert [client.answer(i) for i in ids[1::2]] == alone[1::2]
        assert client.engine.stats().blocks_held == 0


def test_a_shared_prefix_of_512_tokens_is_computed_once(model: Path) -> None:
    prefix = [1 + i % 90 for i in range(512)]
    with client_on(model) as client:
        client.ask([*prefix, 91], max_tokens=4)
        before = client.engine.stats()
        second = client.ask([*prefix, 92, 93], max_tokens=1, logprobs=4)
        assert client.last(second).cached_tokens == 512
        assert client.engine.stats().computed_tokens - before.computed_tokens == 2
        reused = client.answer(second)
    with client_on(model, prefix_cache=False) as client:
        second = client.ask([*prefix, 92, 93], max_tokens=1, logprobs=4)
        assert client.last(second).cached_tokens == 0
        assert client.answer(second) == reused


def test_prompt_logprobs_are_those_of_the_answer(model: Path) -> None:
    """Scoring a greedy answer as a prompt gives the log-probabilities it was made with."""
    with client_on(model, batch_tokens=16) as client:
        made = client.ask([5, 6, 7], max_tokens=40, temperature=0.0, logprobs=2)
        answer = client.tokens(made)
        scored = client.ask([5, 6, 7, *answer], max_tokens=1, prompt_logprobs=2)
        prompt = client.events[scored][0].prompt_logprobs[3:]
        assert [(p.token_id, p.logprob, p.top) for p in prompt] == client.logprobs(made)


def test_a_model_with_broken_numbers_fails_requests_and_lives(tmp_path: Path) -> None:
    path = tiny_llama.write(tmp_path / "nan.gguf", nan_token=7)
    with client_on(path) as client:
        good = client.submit([1, 2], max_tokens=30, logit_bias={7: -100.0}, logprobs=0)
        bad = client.submit([1, 7], max_tokens=5)
        client.finish(good, bad)
        assert client.last(good).finish_reason == "length"
        assert client.last(bad).error_reason == "MODEL_NUMERICS"


def test_a_model_whose_file_shrinks_is_given_up(tmp_path: Path) -> None:
    path = tiny_llama.write(tmp_path / "shrinks.gguf")
    with client_on(path) as client:
        client.ask([1], max_tokens=1)
        os.truncate(path, 4096)
        lost = client.ask([1, 2, 3], max_tokens=5)
        assert client.last(lost).error_code == "DATA_LOSS"
        assert client.engine.stats().blocks_held == 0
        with pytest.raises(_core.CoreError) as caught:
            client.submit([1], max_tokens=1)
        assert caught.value.code == "DATA_LOSS"


# --- loading


def test_what_the_model_is(model: Path) -> None:
    engine = load(model)
    assert engine.architecture == "llama"
    assert engine.vocabulary_size == 96
    assert engine.context_length == 1024
    assert engine.parameters > 10_000
    engine.close()


def test_progress_is_told_and_can_give_up(model: Path) -> None:
    config = _core.EngineConfig(model_path=str(model), threads=1)
    told: list[tuple[str, float]] = []

    def listen(phase: str, fraction: float) -> bool:
        told.append((phase, fraction))
        return True

    _core.Engine(config, TOKENS, [0], on_progress=listen).close()
    assert [phase for phase, _ in told] == sorted(
        (p for p, _ in told), key=["model", "cache"].index
    )
    assert told[-1] == ("cache", 1.0)
    for stop in range(len(told)):
        assert reason_after(config, stop) == "CANCELLED"


def reason_after(config: _core.EngineConfig, calls: int) -> str:
    """Why loading ends when progress gives up after so many calls."""
    left = iter(range(calls))
    with pytest.raises(_core.CoreError) as caught:
        _core.Engine(config, TOKENS, [0], on_progress=lambda *_: next(left, None) is not None)
    return caught.value.reason


def test_what_progress_raises_goes_to_the_caller(model: Path) -> None:
    def fail(phase: str, fraction: float) -> bool:
        raise ZeroDivisionError(phase, fraction)

    with pytest.raises(ZeroDivisionError):
        _core.Engine(_core.EngineConfig(model_path=str(model)), TOKENS, [0], on_progress=fail)


@pytest.mark.parametrize(
    ("config", "reason", "message"),
    [
        ({"context_length": -1}, "ENGINE_CONFIG", "context_length is -1; allowed: 0 to"),
        ({"context_length": 2048}, "ENGINE_CONFIG", r"allowed: 0 \(the model's own\) to 1024"),
        ({"max_sequences": 0}, "ENGINE_CONFIG", "max_sequences is 0; allowed: 1 to 4096"),
        ({"threads": 513}, "ENGINE_CONFIG", "threads is 513; allowed: 0 to 512"),
        ({"batch_tokens": 0}, "ENGINE_CONFIG", "batch_tokens is 0"),
        ({"block_size": 0}, "ENGINE_CONFIG", "block_size is 0"),
        ({"kv_blocks": -1}, "ENGINE_CONFIG", "kv_blocks is -1"),
        ({"kv_bytes": -1}, "ENGINE_CONFIG", "kv_bytes is -1"),
        ({"gpu_layers": -2}, "ENGINE_CONFIG", "gpu_layers is -2"),
        ({"max_undelivered": 0}, "ENGINE_CONFIG", "max_undelivered is 0"),
        ({"kv_type": "q8"}, "KV_TYPE_UNKNOWN", "q8"),
        ({"attention": "flash"}, "ATTENTION_UNKNOWN", "flash"),
        ({"kv_bytes": 100}, "KV_TOO_SMALL", "a block of the KV cache takes"),
        ({"kv_blocks": 100, "kv_bytes": 1000}, "OUT_OF_MEMORY", "allowed: 1000 bytes"),
        ({"kv_blocks": 130_000_000}, "OUT_OF_MEMORY", "kv_blocks is 130000000"),
    ],
)
def test_config_is_checked(model: Path, config: dict[str, Any], reason: str, message: str) -> None:
    with pytest.raises(_core.CoreError, match=message) as caught:
        load(model, **config)
    assert caught.value.reason == reason


def test_the_token_table_is_checked(model: Path) -> None:
    config = _core.EngineConfig(model_path=str(model), threads=1)
    with pytest.raises(_core.CoreError, match="97 tokens; allowed: at most the model's 96"):
        _core.Engine(config, [*TOKENS, b"x"], [0])
    with pytest.raises(_core.CoreError, match="end token is 96; allowed: 0 to 95"):
        _core.Engine(config, TOKENS, [96])
    _core.Engine(config, TOKENS[:50], []).close()  # a padded vocabulary


def test_sizes_follow_from_config_and_memory(model: Path) -> None:
    def sizes(**config: Any) -> tuple[int, int]:
        engine = load(model, **config)
        engine.close()
        return engine.context_length, engine.stats().blocks_total

    block = 2 * 2 * 2 * 16 * 16  # keys and values, F16, 2 layers, width 16, 16 tokens
    assert sizes() == (1024, 640)
    assert sizes(context_length=100, max_sequences=3) == (100, 21)
    assert sizes(kv_bytes=20 * block + 5) == (320, 20)
    assert sizes(kv_bytes=20 * block, context_length=500) == (500, 20)
    assert sizes(kv_blocks=7) == (112, 7)
    assert sizes(kv_blocks=7, block_size=8, kv_type="f32") == (56, 7)
