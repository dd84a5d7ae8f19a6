"""The gpt2 architecture: its numbers, its limits, and files that are no such model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core import forward
from core.engine_client import Client, client_of
from core.float_models import FloatFile, quantized, types_of
from core.numpy_gpt2 import NumpyGpt2
from core.random_gpt2 import RandomGpt2
from core.random_model import Kind, Sizes
from llm_runner_router import _core

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = 128
VOCABULARY = 40
TOKENS = [token % VOCABULARY for token in range(3, 3 + 7 * CONTEXT, 7)]
METADATA = list(RandomGpt2().metadata)
TENSORS = list(RandomGpt2().tensors)


def own_output() -> RandomGpt2:
    model = RandomGpt2()
    model.tensors["output.weight"] = 2 * np.flip(model.tensors["token_embd.weight"], axis=0)
    return model


def wide_range() -> RandomGpt2:
    """What goes into GELU lies from far below to far above zero."""
    model = RandomGpt2()
    model.tensors["blk.0.ffn_up.bias"] = np.linspace(-40, 40, 48, dtype=np.float32)
    model.tensors["blk.1.ffn_up.bias"] = np.linspace(-1e15, 1e15, 48, dtype=np.float32)
    return model


# --- numbers


@pytest.mark.parametrize("attention", ["paged", "ggml"])
@pytest.mark.parametrize("make", [RandomGpt2, own_output, wide_range])
def test_logits_are_those_of_the_formula(
    tmp_path: Path, make: Callable[[], RandomGpt2], attention: str
) -> None:
    model = make()
    path = model.write(tmp_path / "model.gguf")
    found = forward.whole(forward.load(path, attention=attention), TOKENS)
    np.testing.assert_allclose(found, NumpyGpt2(model).logits(TOKENS), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("heads", "head_dim"), [(4, 1), (4, 3), (1, 5), (2, 17)])
@pytest.mark.parametrize("attention", ["paged", "ggml"])
def test_heads_of_any_width(tmp_path: Path, heads: int, head_dim: int, attention: str) -> None:
    """Nothing turns them by their positions, so odd ones are as good."""
    width = heads * head_dim
    sizes = Sizes(embedding=width, feed_forward=7, heads=heads, kv_heads=heads, head_dim=head_dim)
    model = RandomGpt2(sizes)
    path = model.write(tmp_path / "model.gguf")
    found = forward.whole(forward.load(path, attention=attention), TOKENS)
    np.testing.assert_allclose(found, NumpyGpt2(model).logits(TOKENS), rtol=1e-4, atol=1e-4)


# --- positions


def test_positions_end_with_the_context(tmp_path: Path) -> None:
    model = forward.load(RandomGpt2().write(tmp_path / "model.gguf"))
    blocks = list(range(9))
    whole = forward.whole(model, TOKENS)
    assert (forward.logits(model, (TOKENS[-1:], CONTEXT - 1, blocks, 1)) == whole[-1]).all()
    for items in ([([1], CONTEXT, blocks, 1)], [([1] * 2, CONTEXT - 1, blocks, 1)]):
        with pytest.raises(_core.CoreError, match=r"129 positions of 128") as caught:
            forward.logits(model, *items)
        assert caught.value.reason == "BATCH_INVALID"


def test_positions_are_those_of_each_sequence(tmp_path: Path) -> None:
    """Not those in the batch."""
    model = forward.load(RandomGpt2().write(tmp_path / "model.gguf"))
    alone = forward.whole(model, TOKENS[:40])
    found = forward.logits(model, (TOKENS[:9], 0, [20], 1), (TOKENS[:40], 0, [21, 22, 23], 40))
    assert (found[1:] == alone).all()


def load(path: Path, **config: Any) -> _core.Engine:
    settings = {"threads": 1, "max_undelivered": 1 << 20, **config}
    return _core.Engine(_core.EngineConfig(model_path=str(path), **settings), [], [])


def test_a_request_beyond_the_context_is_refused(tmp_path: Path) -> None:
    path = RandomGpt2().write(tmp_path / "model.gguf")
    with client_of(load(path)) as client:
        with pytest.raises(_core.CoreError, match="allowed: at most 127") as caught:
            client.submit(TOKENS)
        assert caught.value.reason == "CONTEXT_LENGTH_EXCEEDED"
        longest = client.ask(TOKENS[:-1], max_tokens=100, ignore_eos=True)
        assert client.last(longest).completion_tokens == 1
        full = client.ask(TOKENS[:8], max_tokens=0, ignore_eos=True)
        assert client.last(full).completion_tokens == CONTEXT - 8
    with pytest.raises(_core.CoreError, match=r"context_length is 129; allowed: 0 .* to 128"):
        load(path, context_length=CONTEXT + 1)


def test_answers_in_company_and_from_the_cache_are_bit_identical(tmp_path: Path) -> None:
    path = RandomGpt2().write(tmp_path / "model.gguf")
    asked = [[*TOKENS[: 20 + i % 3 * 16], i] for i in range(12)]

    def answer(client: Client, i: int) -> int:
        return client.submit(asked[i], max_tokens=4 + i, temperature=0.8, seed=i, logprobs=3)

    with client_of(load(path, max_sequences=1, prefix_cache=False)) as client:
        alone = []
        for i in range(12):
            client.finish(one := answer(client, i))
            alone.append(client.answer(one))
    with client_of(load(path, max_sequences=12, batch_tokens=24)) as client:
        ids = [answer(client, i) for i in range(12)]
        client.finish(*ids)
        assert [client.answer(one) for one in ids] == alone
        client.finish(again := answer(client, 5))
        assert client.last(again).cached_tokens >= 48
        assert client.answer(again) == alone[5]
        assert client.engine.architecture == "gpt2"


# --- files that are no such model


def error_of(model: RandomGpt2, folder: Path) -> _core.CoreError:
    with pytest.raises(_core.CoreError) as caught:
        forward.load(model.write(folder / "model.gguf"))
    return caught.value


@pytest.mark.parametrize("key", METADATA)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    model = RandomGpt2()
    del model.metadata[key]
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_MISSING_KEY")
    assert f"gpt2.{key}" in error.message


@pytest.mark.parametrize(
    ("key", "value", "kind", "message"),
    [
        ("attention.layer_norm_epsilon", 0.0, Kind.FLOAT32, "allowed: above 0.0"),
        ("attention.layer_norm_epsilon", float("nan"), Kind.FLOAT32, "is nan; allowed"),
        ("attention.head_count", 5, Kind.UINT32, "is 5; allowed: divisors of the embedding length"),
        ("attention.head_count_kv", 3, Kind.UINT32, "is 3; allowed: divisors of the head count 4"),
        ("context_length", 0, Kind.UINT32, "is 0; allowed: 1 to"),
        ("context_length", 2**31, Kind.UINT32, "is 2147483648; allowed: 1 to"),
    ],
)
def test_a_value_out_of_range_is_named(
    tmp_path: Path, key: str, value: Any, kind: Kind, message: str
) -> None:
    model = RandomGpt2()
    model.metadata[key] = (value, kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert f"metadata 'gpt2.{key}' is " in error.message
    assert message in error.message


@pytest.mark.parametrize("context", [CONTEXT - 1, CONTEXT + 1, 1 << 30])
def test_a_context_of_other_length_than_the_positions_is_refused(
    tmp_path: Path, context: int
) -> None:
    model = RandomGpt2()
    model.metadata["context_length"] = (context, Kind.UINT32)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    expected = f"'position_embd.weight' has shape [32, 128]; allowed: [32, {context}]"
    assert expected in error.message


def test_heads_of_other_number_than_in_the_weights_are_refused(tmp_path: Path) -> None:
    model = RandomGpt2()
    model.metadata["attention.head_count_kv"] = (2, Kind.UINT32)
    message = error_of(model, tmp_path).message
    assert "'blk.0.attn_qkv.weight' has shape [32, 96]; allowed: [32, 64]" in message


@pytest.mark.parametrize("name", TENSORS)
def test_a_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    model = RandomGpt2()
    del model.tensors[name]
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert f"tensor '{name}' is missing" in error.message


@pytest.mark.parametrize("name", [*TENSORS, "output.weight"])
def test_a_wrong_shape_is_named(tmp_path: Path, name: str) -> None:
    model = RandomGpt2()
    model.tensors[name] = np.zeros((3, 5), np.float32)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert f"tensor '{name}' has shape [5, 3]; allowed: [" in error.message


@pytest.mark.parametrize("name", ["position_embd.weight", "blk.0.attn_qkv.bias"])
@pytest.mark.parametrize("kind", [np.int8, np.int32, np.float64])
def test_a_type_that_cannot_be_computed_is_named(tmp_path: Path, name: str, kind: type) -> None:
    model = RandomGpt2()
    model.tensors[name] = model.tensors[name].astype(kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert f"tensor '{name}' has type " in error.message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    model = RandomGpt2()
    del model.tensors["blk.1.ffn_up.bias"]
    model.tensors["position_embd.weight"] = np.zeros((3, 5), np.float32)
    faults = _core.GgufShards(model.write(tmp_path / "model.gguf")).find_faults()
    assert len(faults) == 2
    assert "'position_embd.weight' has shape [5, 3]; allowed: [32, 128]" in faults[0]
    assert "'blk.1.ffn_up.bias' is missing" in faults[1]


@pytest.mark.parametrize("value", [np.nan, np.inf, 3e38])
@pytest.mark.parametrize("name", ["position_embd.weight", "blk.0.ffn_up.bias", "output_norm.bias"])
def test_weights_that_are_no_numbers_end_nothing(tmp_path: Path, value: float, name: str) -> None:
    spoiled = RandomGpt2()
    spoiled.tensors[name][:] = value
    found = forward.whole(forward.load(spoiled.write(tmp_path / "model.gguf")), list(range(40)))
    assert found.shape == (40, VOCABULARY)
    assert np.isfinite(value) or not np.isfinite(found).all()


# --- quantising


def test_positions_norms_and_biases_stay_as_they_are(tmp_path: Path) -> None:
    """As llama.cpp has it: positions keep their type, all that is no matrix becomes F32."""
    sizes = Sizes(embedding=256, feed_forward=256, heads=4, kv_heads=4, head_dim=64)
    model = RandomGpt2(sizes)
    halves = {name: array.astype(np.float16) for name, array in model.tensors.items()}
    source = FloatFile(halves).write(tmp_path / "model.gguf")
    found = types_of(quantized(source, "Q4_K_M"))
    assert found["position_embd.weight"] == "F16"
    assert found["token_embd.weight"] == "Q6_K"  # the output matrix too
    assert found["blk.0.attn_qkv.weight"] == "Q5_K"
    assert found["blk.0.attn_output.weight"] == found["blk.0.ffn_up.weight"] == "Q4_K"
    assert {found[name] for name, array in halves.items() if array.ndim == 1} == {"F32"}


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_K_M"])
def test_a_quantised_model_loads_and_stays_near(tmp_path: Path, kind: str) -> None:
    model = RandomGpt2(Sizes(embedding=256, feed_forward=256, heads=4, kv_heads=4, head_dim=64))
    source = model.write(tmp_path / "model.gguf")
    target = tmp_path / "small.gguf"
    _core.quantize(source, target, kind, lambda *_: True)
    tokens = TOKENS[:30]
    expected = forward.log_softmax(forward.whole(forward.load(source), tokens))
    found = forward.log_softmax(forward.whole(forward.load(target), tokens))
    assert 0 < np.abs(found - expected).mean() < (0.1 if kind == "Q8_0" else 0.6)
