"""LoRA adapters: what they add, that it depends on nothing else, and files that are none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import forward
from core.engine_client import client_of
from core.random_adapter import RandomAdapter, maps_of
from core.random_gpt2 import RandomGpt2
from core.random_llama import RandomLlama
from core.random_model import Kind, RandomModel, Sizes
from llm_runner_router import _core

VOCABULARY = 40
TOKENS = forward.random_tokens(100, VOCABULARY)
BLOCKS = list(range(7))
Adapters = list[tuple[str, float]]


def logits(model: Path, adapters: Adapters, **options: Any) -> np.ndarray:
    return forward.whole(forward.load(model, adapters=adapters, **options), TOKENS)


# --- numbers


@pytest.mark.parametrize("make", [RandomLlama, RandomGpt2])
@pytest.mark.parametrize(
    ("rank", "alpha", "scale"),
    [(4, 8.0, 1.0), (1, 1.0, 1.0), (8, 4.0, 2.5), (4, 8.0, -0.5), (4, None, 1.5), (4, 0.0, 1.5)],
)
def test_adapted_is_merged(
    tmp_path: Path, make: type[RandomModel], rank: int, alpha: float | None, scale: float
) -> None:
    model = make()
    adapter = RandomAdapter(model, rank=rank, alpha=alpha)
    path = model.write(tmp_path / "model.gguf")
    merged = adapter.merged_into(model, scale).write(tmp_path / "merged.gguf")
    adapters = [(str(adapter.write(tmp_path / "adapter.gguf")), scale)]
    found = logits(path, adapters)
    np.testing.assert_allclose(found, logits(merged, []), rtol=1e-4, atol=1e-4)
    assert np.abs(found - logits(path, [])).max() > 0.05  # the adapter does something


@pytest.mark.parametrize("name", [*maps_of(RandomLlama())[:9], "output.weight"])
def test_each_map_is_adapted_alone(tmp_path: Path, name: str) -> None:
    model = RandomLlama()
    adapter = RandomAdapter(model, maps=[name], alpha=64.0)
    path = model.write(tmp_path / "model.gguf")
    merged = adapter.merged_into(model).write(tmp_path / "merged.gguf")
    found = logits(path, [(str(adapter.write(tmp_path / "adapter.gguf")), 1.0)])
    np.testing.assert_allclose(found, logits(merged, []), rtol=1e-4, atol=1e-4)
    assert np.abs(found - logits(path, [])).max() > 1e-3


def test_adapters_add_up(tmp_path: Path) -> None:
    model = RandomLlama()
    one, two = RandomAdapter(model, seed=2), RandomAdapter(model, seed=3, rank=2)
    path = model.write(tmp_path / "model.gguf")
    merged = two.merged_into(one.merged_into(model, 0.5), 2.0).write(tmp_path / "merged.gguf")
    adapters = [
        (str(one.write(tmp_path / "one.gguf")), 0.5),
        (str(two.write(tmp_path / "two.gguf")), 2.0),
    ]
    np.testing.assert_allclose(logits(path, adapters), logits(merged, []), rtol=1e-4, atol=1e-4)


def test_a_scale_of_zero_changes_nothing(tmp_path: Path) -> None:
    model = RandomLlama()
    path = model.write(tmp_path / "model.gguf")
    adapters = [(str(RandomAdapter(model).write(tmp_path / "adapter.gguf")), 0.0)]
    assert (logits(path, adapters) == logits(path, [])).all()


@pytest.mark.parametrize("attention", ["paged", "ggml"])
def test_most_adapters_at_once(tmp_path: Path, attention: str) -> None:
    """Their nodes have room in the graph."""
    model = RandomLlama()
    path = model.write(tmp_path / "model.gguf")
    one = str(RandomAdapter(model).write(tmp_path / "adapter.gguf"))
    found = logits(path, [(one, 0.05)] * 16, attention=attention)
    np.testing.assert_allclose(found, logits(path, [(one, 0.8)]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("make", [RandomLlama, RandomGpt2])
@pytest.mark.parametrize("kind", ["f32", "f16", "q8_0"])
def test_bits_do_not_depend_on_the_batch(
    tmp_path: Path, make: type[RandomModel], kind: str
) -> None:
    heads = 4 if make is RandomGpt2 else 2
    sizes = Sizes(embedding=256, feed_forward=256, heads=4, kv_heads=heads, head_dim=64)
    drawn = make(sizes, matrices=kind)
    adapter = RandomAdapter(drawn, rank=32, matrices=kind).write(tmp_path / "adapter.gguf")
    model = forward.load(drawn.write(tmp_path / "m.gguf"), adapters=[(str(adapter), 1.0)])
    alone = forward.whole(model, TOKENS)
    for size in (1, 33):
        parts = [
            forward.logits(model, (part := TOKENS[at : at + size], at, BLOCKS, len(part)))
            for at in range(0, len(TOKENS), size)
        ]
        assert (np.concatenate(parts) == alone).all()
    table = list(range(20, 27))
    found = forward.logits(model, (TOKENS[:31], 0, [30, 31], 1), (TOKENS, 0, table, len(TOKENS)))
    assert (found[1:] == alone).all()


# --- what it takes, and what it is known by


def config_of(model: Path, adapters: Adapters, **more: Any) -> _core.EngineConfig:
    settings = {"threads": 1, "max_undelivered": 1 << 20, **more}
    return _core.EngineConfig(model_path=str(model), adapters=adapters, **settings)


def test_memory_is_counted(tmp_path: Path) -> None:
    model = RandomLlama()
    path = model.write(tmp_path / "model.gguf")
    adapter = RandomAdapter(model, matrices="f16")
    adapters = [(str(adapter.write(tmp_path / "adapter.gguf")), 1.0)] * 2
    config = config_of(path, adapters)
    assert config.adapters == adapters
    estimate = _core.estimate_memory(config)
    engine = _core.Engine(config, [], [])
    engine.close()
    fields = ("weights", "kv", "compute", "context_length", "kv_blocks")
    assert all(getattr(estimate, name) == getattr(engine.memory, name) for name in fields)
    bare = _core.estimate_memory(config_of(path, []))
    own = sum(array.size * 2 for array in adapter.tensors.values())
    assert estimate.weights == bare.weights + 2 * own
    assert estimate.compute > bare.compute


def identity(model: Path, adapters: Adapters) -> str:
    engine = _core.Engine(config_of(model, adapters), [], [])
    engine.close()
    return engine.kv_identity


def test_prefixes_are_those_of_the_adapters(tmp_path: Path) -> None:
    model = RandomLlama()
    path = model.write(tmp_path / "model.gguf")
    one = str(RandomAdapter(model, seed=2).write(tmp_path / "one.gguf"))
    two = str(RandomAdapter(model, seed=3).write(tmp_path / "two.gguf"))
    copied = shutil.copy(one, tmp_path / "copied.gguf")
    sets: list[Adapters] = [
        [],
        [(one, 1.0)],
        [(two, 1.0)],
        [(one, 1.0 + 1e-6)],
        [(one, 1.0), (two, 1.0)],
        [(two, 1.0), (one, 1.0)],
        [(one, 1.0), (one, 1.0)],
    ]
    identities = [identity(path, adapters) for adapters in sets]
    assert len(set(identities)) == len(sets)
    assert identity(path, [(str(copied), 1.0)]) == identities[1]


def test_an_engine_answers_as_the_merged_model(tmp_path: Path) -> None:
    model = RandomLlama()
    adapter = RandomAdapter(model)
    path = model.write(tmp_path / "model.gguf")
    merged = adapter.merged_into(model).write(tmp_path / "merged.gguf")
    adapters = [(str(adapter.write(tmp_path / "adapter.gguf")), 1.0)]
    answers = []
    for config in (config_of(path, adapters), config_of(merged, [])):
        with client_of(_core.Engine(config, [], [])) as client:
            asked = client.ask(TOKENS[:20], max_tokens=20, temperature=0.0, ignore_eos=True)
            answers.append(client.tokens(asked))
    assert answers[0] == answers[1]


def test_an_adapter_whose_file_shrinks_is_data_loss(tmp_path: Path) -> None:
    model = RandomLlama(Sizes(embedding=512, head_dim=128))
    path = model.write(tmp_path / "model.gguf")
    adapter = RandomAdapter(model, rank=32).write(tmp_path / "adapter.gguf")
    with client_of(_core.Engine(config_of(path, [(str(adapter), 1.0)]), [], [])) as client:
        client.ask([1], max_tokens=1)
        with adapter.open("r+b") as file:
            file.truncate(8192)
        lost = client.ask([1, 2, 3], max_tokens=5)
        assert client.last(lost).error_code == "DATA_LOSS"


# --- what is refused


@pytest.mark.parametrize(
    ("count", "scale", "message"),
    [
        (17, 1.0, "number of adapters is 17; allowed: 0 to 16"),
        (1, float("nan"), "the scale of adapter '.*' is nan; allowed: -1000 to 1000"),
        (1, float("inf"), "is inf; allowed"),
        (1, -1000.5, "is -1000.5"),
        (1, 1e300, "is inf; allowed"),
    ],
)
def test_the_config_is_checked(tmp_path: Path, count: int, scale: float, message: str) -> None:
    config = config_of(tmp_path / "no.gguf", [(str(tmp_path / "none.gguf"), scale)] * count)
    for attempt in (_core.estimate_memory, lambda config: _core.Engine(config, [], [])):
        with pytest.raises(_core.CoreError, match=message) as caught:
            attempt(config)
        assert caught.value.reason == "ENGINE_CONFIG"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = RandomLlama().write(tmp_path / "model.gguf")
    with pytest.raises(_core.CoreError, match=r"none\.gguf") as caught:
        _core.estimate_memory(config_of(path, [(str(tmp_path / "none.gguf"), 1.0)]))
    assert caught.value.reason == "FILE_NOT_FOUND"


def error_of(
    adapter: RandomAdapter[RandomLlama], folder: Path, architecture: str | None = None
) -> _core.CoreError:
    """Of loading; estimating says the same."""
    path = adapter.model.write(folder / "model.gguf")
    adapters = [(str(adapter.write(folder / "adapter.gguf", architecture)), 1.0)]
    with pytest.raises(_core.CoreError) as caught:
        forward.load(path, adapters=adapters)
    with pytest.raises(_core.CoreError) as estimated:
        _core.estimate_memory(config_of(path, adapters))
    assert estimated.value.message == caught.value.message
    assert caught.value.message.startswith(f"adapter '{adapters[0][0]}'"[:60])
    return caught.value


@pytest.mark.parametrize(
    ("key", "value", "reason", "message"),
    [
        ("general.type", "model", "MODEL_UNSUPPORTED", "'model'; supported: adapter"),
        ("general.type", None, "GGUF_MISSING_KEY", "general.type"),
        ("adapter.type", "dora", "MODEL_UNSUPPORTED", "'dora'; supported: lora"),
        ("adapter.type", None, "GGUF_MISSING_KEY", "adapter.type"),
        ("adapter.lora.alpha", -1.0, "GGUF_INVALID", "allowed: 0 to 1000000"),
        ("adapter.lora.alpha", float("nan"), "GGUF_INVALID", "is nan; allowed"),
        ("adapter.lora.alpha", float("inf"), "GGUF_INVALID", "is inf; allowed"),
        ("adapter.lora.alpha", "8", "GGUF_WRONG_TYPE", "adapter.lora.alpha"),
        ("adapter.alora.invocation_tokens", 5.0, "MODEL_UNSUPPORTED", "on all tokens"),
    ],
)
def test_metadata_is_checked(
    tmp_path: Path, key: str, value: str | float | None, reason: str, message: str
) -> None:
    adapter = RandomAdapter(RandomLlama())
    adapter.metadata[key] = (value, Kind.STRING if isinstance(value, str) else Kind.FLOAT32)
    if value is None:
        del adapter.metadata[key]
    error = error_of(adapter, tmp_path)
    assert error.reason == reason
    assert message in error.message


def test_an_adapter_of_another_architecture_is_refused(tmp_path: Path) -> None:
    error = error_of(RandomAdapter(RandomLlama()), tmp_path, "gpt2")
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert "'general.architecture' is 'gpt2'; allowed: llama" in error.message


Q = "blk.1.attn_q.weight"


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (f"{Q}.lora_a", (4, 31), f"'{Q}.lora_a' has shape [31, 4]; allowed: [32, 4]"),
        (f"{Q}.lora_a", (5, 32), f"'{Q}.lora_b' has shape [4, 32]; allowed: [5, 32]"),
        (f"{Q}.lora_b", (31, 4), f"'{Q}.lora_b' has shape [4, 31]; allowed: [4, 32]"),
        (f"{Q}.lora_b", (32,), f"'{Q}.lora_b' has shape [32]; allowed: [4, 32]"),
        (f"{Q}.lora_a", (4, 32, 2), f"'{Q}.lora_a' has shape [2, 32, 4]; allowed: [32, 32]"),
        (f"{Q}.lora_a", (65_537, 32), "has a rank of 65537; allowed: 1 to 65536"),
        ("blk.7.attn_q.weight.lora_a", (4, 32), "has no linear map 'blk.7.attn_q.weight'"),
        ("blk.1.attn_q.lora_a", (4, 32), "has no linear map 'blk.1.attn_q'"),
        (".lora_a", (4, 32), "has no linear map ''"),
        ("blk.0.attn_norm.weight.lora_a", (4, 32), "no linear map 'blk.0.attn_norm.weight'"),
    ],
)
def test_tensors_are_checked(
    tmp_path: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    adapter = RandomAdapter(RandomLlama())
    adapter.tensors[name] = np.zeros(shape, np.float32)
    error = error_of(adapter, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert message in error.message


@pytest.mark.parametrize("half", ["lora_a", "lora_b"])
def test_a_half_is_missed_by_name(tmp_path: Path, half: str) -> None:
    adapter = RandomAdapter(RandomLlama())
    del adapter.tensors[f"{Q}.{half}"]
    assert f"tensor '{Q}.{half}' is missing" in error_of(adapter, tmp_path).message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blk.0.attn_norm.weight", "'blk.0.attn_norm.weight'; supported: .lora_a and .lora_b"),
        ("token_embd.weight.lora_a", "adapts the token embedding; supported: linear maps"),
    ],
)
def test_what_else_adapters_may_hold_is_unsupported(
    tmp_path: Path, name: str, message: str
) -> None:
    adapter = RandomAdapter(RandomLlama())
    adapter.tensors[name] = np.zeros((4, 32), np.float32)
    error = error_of(adapter, tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert message in error.message


@pytest.mark.parametrize("kind", [np.int8, np.float64])
def test_a_type_that_cannot_be_computed_is_named(tmp_path: Path, kind: type) -> None:
    adapter = RandomAdapter(RandomLlama())
    adapter.tensors[f"{Q}.lora_b"] = adapter.tensors[f"{Q}.lora_b"].astype(kind)
    error = error_of(adapter, tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert f"tensor '{Q}.lora_b' has type " in error.message


def test_an_adapter_without_tensors_is_refused(tmp_path: Path) -> None:
    adapter = RandomAdapter(RandomLlama(), maps=[])
    assert "there is no tensor" in error_of(adapter, tmp_path).message


def test_the_output_of_a_model_that_has_none_of_its_own_is_not_adapted(tmp_path: Path) -> None:
    model = RandomLlama()
    adapter = RandomAdapter(model, maps=["output.weight"])
    del model.tensors["output.weight"]
    assert "has no linear map 'output.weight'" in error_of(adapter, tmp_path).message
    adapter = RandomAdapter(model, maps=["token_embd.weight"])
    assert "adapts the token embedding" in error_of(adapter, tmp_path).message


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
def test_numbers_that_are_none_end_nothing(tmp_path: Path, value: float) -> None:
    model = RandomLlama()
    adapter = RandomAdapter(model)
    adapter.tensors[f"{Q}.lora_a"][:] = value
    path = model.write(tmp_path / "model.gguf")
    found = logits(path, [(str(adapter.write(tmp_path / "adapter.gguf")), 1.0)])
    assert found.shape == (100, VOCABULARY)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """Every prefix of an adapter, as every prefix of a model."""
    model = RandomLlama()
    path = model.write(tmp_path / "model.gguf")
    whole = RandomAdapter(model, maps=[Q]).write(tmp_path / "adapter.gguf").read_bytes()
    cut = tmp_path / "cut.gguf"
    for length in range(0, len(whole), 37):
        cut.write_bytes(whole[:length])
        with pytest.raises(_core.CoreError):
            _core.estimate_memory(config_of(path, [(str(cut), 1.0)]))
