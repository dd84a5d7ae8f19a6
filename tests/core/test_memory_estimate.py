"""What an engine will take, told before it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import forward, sparse_llama
from core.random_gpt2 import RandomGpt2
from core.random_llama import RandomLlama
from core.random_model import RandomModel, Sizes
from llm_runner_router import _core

FIELDS = ("weights", "kv", "compute", "context_length", "kv_blocks")
WIDE = Sizes(embedding=256, feed_forward=512, heads=8, kv_heads=4, head_dim=32, vocabulary=96)
ODD = Sizes(embedding=36, feed_forward=20, heads=3, kv_heads=3, head_dim=12, vocabulary=31)


def config_of(path: Path, **config: Any) -> _core.EngineConfig:
    return _core.EngineConfig(model_path=str(path), **{"threads": 2, **config})


def values(memory: _core.MemoryEstimate) -> dict[str, int]:
    return {name: getattr(memory, name) for name in FIELDS}


def loaded(config: _core.EngineConfig) -> dict[str, int]:
    """What an engine says, having checked that it allocated the blocks that it says."""
    engine = _core.Engine(config, [], [])
    assert engine.context_length == engine.memory.context_length
    assert engine.stats().blocks_total == engine.memory.kv_blocks
    engine.close()
    return values(engine.memory)


def estimated(config: _core.EngineConfig) -> dict[str, int]:
    return values(_core.estimate_memory(config))


# --- an estimate is what loading takes


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"kv_type": "f32"},
        {"context_length": 50, "max_sequences": 3},
        {"max_sequences": 1, "batch_tokens": 7, "block_size": 8},
        {"max_sequences": 64, "batch_tokens": 33, "threads": 1},
        {"kv_blocks": 5, "block_size": 32, "batch_tokens": 2048},
        {"kv_bytes": 100_000, "threads": 7},
        {"batch_tokens": 1},
    ],
)
@pytest.mark.parametrize(
    "model",
    [
        RandomLlama(),
        RandomLlama(ODD),
        RandomLlama(WIDE, matrices="q4_K"),
        RandomLlama(WIDE, matrices="f16"),
        RandomGpt2(),
    ],
    ids=["f32", "odd", "q4_K", "f16", "gpt2"],
)
def test_an_estimate_is_what_loading_takes(
    tmp_path: Path, model: RandomModel, config: dict[str, Any]
) -> None:
    settings = config_of(model.write(tmp_path / "model.gguf"), **config)
    assert estimated(settings) == loaded(settings)


def test_shards_take_what_the_single_file_takes(tmp_path: Path) -> None:
    model = RandomLlama()
    single = config_of(model.write(tmp_path / "single.gguf"))
    model.write(tmp_path / "set.gguf", split_max_tensors=5)
    shards = config_of(tmp_path / "set-00001-of-00005.gguf")
    assert estimated(shards) == estimated(single) == loaded(shards)


@pytest.mark.parametrize("limits", [{}, {"kv_bytes": 30_000}, {"context_length": 40}])
def test_the_blocks_of_an_estimate_give_its_sizes_again(
    tmp_path: Path, limits: dict[str, int]
) -> None:
    path = RandomLlama().write(tmp_path / "model.gguf")
    planned = estimated(config_of(path, **limits))
    assert loaded(config_of(path, **{**limits, "kv_blocks": planned["kv_blocks"]})) == planned


# --- and its parts are what they should be


def test_weights_are_the_tensors_that_are_computed_with(tmp_path: Path) -> None:
    model = RandomLlama()
    needed = sum(array.nbytes for array in model.tensors.values())
    model.tensors["blk.7.attn_q.weight"] = np.zeros((64, 64), np.float32)
    config = config_of(model.write(tmp_path / "model.gguf"))
    assert estimated(config)["weights"] == needed


def test_weights_that_are_copied_count_as_they_are_copied(tmp_path: Path) -> None:
    model = RandomLlama()
    norms = [name for name in model.tensors if "norm" in name]
    before = estimated(config_of(model.write(tmp_path / "f32.gguf")))["weights"]
    for name in norms:
        model.tensors[name] = model.tensors[name].astype(np.float16)
    config = config_of(model.write(tmp_path / "f16.gguf"))
    assert estimated(config)["weights"] == before  # as F32 again, of 128 bytes each
    assert estimated(config) == loaded(config)


def test_tensors_that_ggml_cannot_take_in_place_are_copied(tmp_path: Path) -> None:
    """Aligned to 8 bytes in the file, to 32 in memory."""
    model = RandomLlama(ODD, alignment=8)
    config = config_of(model.write(tmp_path / "model.gguf"))
    offsets = [tensor.offset for tensor in _core.GgufFile(config.model_path).tensors]
    assert any(offset % 32 for offset in offsets)
    assert estimated(config) == loaded(config)
    tensors = sum(array.nbytes for array in model.tensors.values())
    assert tensors < estimated(config)["weights"] < tensors + 32 * len(offsets)


def test_a_tied_embedding_counts_once(tmp_path: Path) -> None:
    model = RandomLlama()
    del model.tensors["output.weight"]
    config = config_of(model.write(tmp_path / "model.gguf"))
    assert estimated(config)["weights"] == sum(array.nbytes for array in model.tensors.values())


def test_kv_is_keys_and_values_of_all_layers(tmp_path: Path) -> None:
    path = RandomLlama().write(tmp_path / "model.gguf")
    token = 2 * 2 * 16  # keys and values of 2 layers, 16 wide
    assert estimated(config_of(path, max_sequences=3))["kv"] == 3 * 128 * token * 2
    assert estimated(config_of(path, kv_blocks=7, kv_type="f32"))["kv"] == 7 * 16 * token * 4


def test_compute_holds_the_logits_of_a_whole_batch(tmp_path: Path) -> None:
    path = RandomLlama(Sizes(vocabulary=4000)).write(tmp_path / "model.gguf")
    few, many = (estimated(config_of(path, batch_tokens=n))["compute"] for n in (1, 512))
    assert many - few >= 511 * 4000 * 4


@pytest.mark.parametrize("batch_tokens", [24, 100])
@pytest.mark.parametrize("made", [RandomLlama(WIDE), RandomGpt2(replace(WIDE, kv_heads=8))])
def test_computing_takes_no_more_than_was_reserved(
    tmp_path: Path, made: RandomModel, batch_tokens: int
) -> None:
    path = made.write(tmp_path / "model.gguf")
    model = forward.load(path, kv_type="f16", batch_tokens=batch_tokens, threads=1)
    reserved = model.bytes
    tokens = forward.random_tokens(128, WIDE.vocabulary)
    for at in range(0, 128, batch_tokens):
        part = tokens[at : at + batch_tokens]
        for outputs in (0, 1, len(part)):
            forward.logits(model, (part, at, list(range(8)), outputs))
    assert model.bytes == reserved
    planned = config_of(path, batch_tokens=batch_tokens, kv_blocks=64, threads=1)
    assert estimated(planned)["compute"] == reserved


@pytest.mark.parametrize(("context", "sequences"), [(1024, 1), (128, 32)])
def test_attention_by_ggml_grows_to_about_what_was_estimated(
    tmp_path: Path, context: int, sequences: int
) -> None:
    """By the end of a long prompt, or by many sequences that go on at once."""
    path = RandomLlama(replace(WIDE, context=context)).write(tmp_path / "model.gguf")
    blocks = context * sequences // forward.BLOCK_SIZE
    sizes: dict[str, Any] = {"attention": "ggml", "batch_tokens": 64, "threads": 1}
    config = config_of(path, kv_blocks=blocks, max_sequences=sequences, **sizes)
    planned = estimated(config)["compute"]
    model = forward.load(path, kv_type="f16", blocks=blocks, **sizes)
    assert model.bytes < planned / 2
    tables = np.arange(blocks).reshape(sequences, -1).tolist()
    forward.logits(model, ([1] * 64, context - 64, tables[0], 64))
    forward.logits(model, *(([1], context - 1, table, 1) for table in tables))
    assert 0.8 * planned < model.bytes <= planned


# --- errors are those of loading


@pytest.mark.parametrize(
    "config",
    [
        {"context_length": 2048},
        {"max_sequences": 0},
        {"threads": 513},
        {"gpu_layers": -2},
        {"kv_type": "q8"},
        {"attention": "flash"},
        {"kv_bytes": 100},
        {"kv_blocks": 100, "kv_bytes": 1000},
        {"kv_blocks": 130_000_000},
    ],
)
def test_a_bad_config_is_refused_as_loading_does(tmp_path: Path, config: dict[str, Any]) -> None:
    assert_refused_alike(config_of(RandomLlama().write(tmp_path / "model.gguf"), **config))


@pytest.mark.parametrize("spoiled", ["file", "key", "tensor", "shape", "type", "architecture"])
def test_a_bad_model_is_refused_as_loading_does(tmp_path: Path, spoiled: str) -> None:
    model = RandomLlama()
    match spoiled:
        case "key":
            del model.metadata["block_count"]
        case "tensor":
            del model.tensors["blk.1.ffn_up.weight"]
        case "shape":
            model.tensors["output.weight"] = np.zeros((3, 5), np.float32)
        case "type":
            model.tensors["output.weight"] = model.tensors["output.weight"].astype(np.int8)
        case "architecture":
            model.architecture = "mamba"
    path = model.write(tmp_path / "model.gguf")
    assert_refused_alike(config_of(tmp_path / "no.gguf" if spoiled == "file" else path))


def assert_refused_alike(config: _core.EngineConfig) -> None:
    errors = []
    for attempt in (_core.estimate_memory, lambda config: _core.Engine(config, [], [])):
        with pytest.raises(_core.CoreError) as caught:
            attempt(config)
        # How much memory is free is in some messages.
        errors.append((caught.value.code, caught.value.reason, caught.value.message[:60]))
    assert errors[0] == errors[1]


def test_sizes_that_no_machine_holds_are_refused(tmp_path: Path) -> None:
    many = Sizes(embedding=1 << 14, heads=1 << 13, kv_heads=1, head_dim=2, context=1 << 24)
    path = sparse_llama.write(tmp_path / "many.gguf", many, lambda _: "f32")
    sizes = {"attention": "ggml", "batch_tokens": 1 << 16, "kv_bytes": 1 << 40}
    with pytest.raises(_core.CoreError, match="attention of a batch of 65536 tokens") as caught:
        _core.estimate_memory(config_of(path, **sizes))
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY")


# --- what it costs, and whether it is true

LARGE = Sizes(
    layers=80,
    embedding=8192,
    feed_forward=28672,
    heads=64,
    kv_heads=8,
    head_dim=128,
    vocabulary=128_256,
    context=8192,
)
ESTIMATE = """
import resource, sys, time
from llm_runner_router import _core

def status(key):
    with open("/proc/self/status") as lines:
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))

most = status("VmData:") + (1 << 30)  # that may be allocated, touched or not
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
config = _core.EngineConfig(model_path=sys.argv[1], kv_bytes=8 << 30, threads=2)
before = status("VmHWM:")
start = time.process_time()
memory = _core.estimate_memory(config)
seconds = time.process_time() - start
print(memory.weights, memory.kv, seconds, status("VmHWM:") - before)
"""


def large_type(name: str) -> str:
    """The mix that llama.cpp calls Q4_K_M, about."""
    return "q6_K" if "attn_v" in name or "ffn_down" in name or name == "output.weight" else "q4_K"


def test_a_model_of_70_billion_is_estimated_at_once(tmp_path: Path) -> None:
    tokens = [f"token {i}" for i in range(LARGE.vocabulary)]
    path = sparse_llama.write(tmp_path / "large.gguf", LARGE, large_type, tokens)
    assert path.stat().st_size > 40 << 30
    ran = subprocess.run(
        [sys.executable, "-c", ESTIMATE, str(path)], check=True, capture_output=True, text=True
    )
    weights, kv, seconds, grown = map(float, ran.stdout.split())
    assert weights == sum(tensor.nbytes for tensor in _core.GgufFile(path).tensors)
    assert 0.999 * (8 << 30) < kv <= 8 << 30
    assert seconds < 1.0
    assert grown < 256 << 20


RUN = """
import sys
from core.engine_client import client_of
from llm_runner_router import _core

def resident():
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

config = _core.EngineConfig(model_path=sys.argv[1], context_length=256, max_sequences=2,
                            threads=1, batch_tokens=128, kv_type="f32")
memory = _core.estimate_memory(config)
before = resident()
with client_of(_core.Engine(config, [], [])) as client:
    ids = [client.submit([(i * 64 + j) % 256 for j in range(255)], max_tokens=1, prompt_logprobs=0)
           for i in range(2)]
    client.finish(*ids)
    assert all(client.last(i).finish_reason == "length" for i in ids)
    grown = resident() - before
print(memory.weights, memory.kv, memory.compute, grown)
"""
MEDIUM = Sizes(
    layers=1,
    embedding=1280,
    feed_forward=256,
    heads=16,
    kv_heads=16,
    head_dim=512,
    vocabulary=256,
    context=256,
)


def test_a_process_grows_by_what_was_estimated(tmp_path: Path) -> None:
    path = sparse_llama.write(tmp_path / "medium.gguf", MEDIUM, lambda _: "f32")
    assert 150 << 20 < path.stat().st_size < 300 << 20
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    weights, kv, compute, grown = map(int, ran.stdout.split())
    assert kv > 0.1 * weights
    assert abs(grown - (weights + kv + compute)) < 0.1 * (weights + kv + compute)
