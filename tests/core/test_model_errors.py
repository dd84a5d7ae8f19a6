"""Files that are good GGUF but no model that can be computed: each is refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.random_llama import RandomLlama
from core.random_model import Kind
from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = 40
METADATA = [key for key in RandomLlama().metadata if key != "attention.head_count_kv"]
TENSORS = list(RandomLlama().tensors)


def load(model: RandomLlama, folder: Path) -> _core.testing.ForwardPass:
    return _core.testing.ForwardPass(str(model.write(folder / "model.gguf")))


def error_of(model: RandomLlama, folder: Path) -> _core.CoreError:
    with pytest.raises(_core.CoreError) as caught:
        load(model, folder)
    return caught.value


def test_the_unspoiled_model_computes(tmp_path: Path) -> None:
    model = load(RandomLlama(), tmp_path)
    rows = np.frombuffer(model.run([([1, 2, 3], 0, [0], 3)]), np.float32)
    assert np.isfinite(rows).all()
    assert (model.vocabulary, model.context_length) == (VOCABULARY, 128)


@pytest.mark.parametrize("key", METADATA)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    model = RandomLlama()
    del model.metadata[key]
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_MISSING_KEY")
    assert f"llama.{key}" in error.message


@pytest.mark.parametrize(
    ("key", "value", "kind", "message"),
    [
        ("block_count", 0, Kind.UINT32, "is 0; allowed: 1 to 1024"),
        ("block_count", 2**32 - 1, Kind.UINT32, "is 4294967295; allowed: 1 to 1024"),
        ("embedding_length", -1, Kind.INT32, "is -1; allowed: 1 to"),
        ("embedding_length", 2**40, Kind.UINT64, "is 1099511627776; allowed: 1 to"),
        ("feed_forward_length", 0, Kind.UINT32, "is 0; allowed: 1 to"),
        ("context_length", 2**31, Kind.UINT32, "is 2147483648; allowed: 1 to 1073741824"),
        ("attention.head_count", 5, Kind.UINT32, "is 2; allowed: divisors of the head count 5"),
        ("attention.head_count_kv", 3, Kind.UINT32, "is 3; allowed: divisors of the head count 4"),
        ("attention.head_count_kv", 0, Kind.UINT32, "is 0; allowed: 1 to"),
        ("attention.head_count_kv", 8, Kind.UINT32, "is 8; allowed: divisors"),
        ("attention.key_length", 513, Kind.UINT32, "is 513; allowed: 1 to 512"),
        ("attention.layer_norm_rms_epsilon", 0.0, Kind.FLOAT32, "allowed: above 0.0"),
        ("attention.layer_norm_rms_epsilon", -1.0, Kind.FLOAT32, "allowed: above 0.0"),
        ("attention.layer_norm_rms_epsilon", float("nan"), Kind.FLOAT32, "is nan; allowed"),
        ("rope.dimension_count", 7, Kind.UINT32, "is 7; allowed: even numbers"),
        ("rope.dimension_count", 10, Kind.UINT32, "is 10; allowed: 2 to 8"),
        ("rope.dimension_count", 0, Kind.UINT32, "is 0; allowed: 2 to 8"),
        ("rope.freq_base", float("inf"), Kind.FLOAT32, "is inf; allowed"),
        ("rope.freq_base", 0.0, Kind.FLOAT32, "allowed: above 1.0"),
        ("rope.scaling.original_context_length", 0, Kind.UINT32, "is 0; allowed: 1 to"),
    ],
)
def test_a_value_out_of_range_is_named(
    tmp_path: Path, key: str, value: Any, kind: Kind, message: str
) -> None:
    model = RandomLlama()
    model.metadata[key] = (value, kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert "metadata 'llama." in error.message
    assert message in error.message


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("scaling", ["linear", "yarn"])
def test_a_scaling_factor_is_a_positive_number(tmp_path: Path, scaling: str, factor: float) -> None:
    model = RandomLlama()
    model.metadata["rope.scaling.type"] = (scaling, Kind.STRING)
    model.metadata["rope.scaling.factor"] = (factor, Kind.FLOAT32)
    error = error_of(model, tmp_path)
    assert error.reason == "GGUF_INVALID"
    assert "llama.rope.scaling.factor" in error.message


@pytest.mark.parametrize(
    ("key", "value", "kind", "message"),
    [
        ("expert_count", 8, Kind.UINT32, "supported: models without experts"),
        ("attention.causal", False, Kind.BOOL, "supported: causal attention"),
        ("rope.scaling.type", "longrope", Kind.STRING, "supported: none, linear, yarn"),
        ("attention.value_length", 4, Kind.UINT32, "supported: the key length 8"),
        ("attention.head_count_kv", [2, 4], Kind.ARRAY, "supported: one value for all"),
    ],
)
def test_a_variant_that_no_graph_computes_is_unsupported(
    tmp_path: Path, key: str, value: Any, kind: Kind, message: str
) -> None:
    model = RandomLlama()
    model.metadata[key] = (value, kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert f"llama.{key}" in error.message
    assert message in error.message


def test_another_architecture_is_unsupported(tmp_path: Path) -> None:
    error = error_of(RandomLlama(architecture="mamba"), tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert "'mamba'; supported: llama" in error.message


@pytest.mark.parametrize("kind", [Kind.STRING, Kind.FLOAT32, Kind.BOOL])
def test_a_wrong_type_is_named(tmp_path: Path, kind: Kind) -> None:
    model = RandomLlama()
    values = {Kind.STRING: "two", Kind.FLOAT32: 2.0, Kind.BOOL: True}
    model.metadata["block_count"] = (values[kind], kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_WRONG_TYPE")
    assert "llama.block_count" in error.message


def test_one_value_for_every_layer_may_be_an_array(tmp_path: Path) -> None:
    model = RandomLlama()
    model.metadata["attention.head_count_kv"] = ([2, 2], Kind.ARRAY)
    load(model, tmp_path)


@pytest.mark.parametrize("name", [name for name in TENSORS if name != "output.weight"])
def test_a_missing_tensor_is_named(tmp_path: Path, name: str) -> None:
    model = RandomLlama()
    del model.tensors[name]
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert f"tensor '{name}' is missing" in error.message


@pytest.mark.parametrize("name", [*TENSORS, "blk.1.attn_q.bias", "rope_freqs.weight"])
def test_a_wrong_shape_is_named(tmp_path: Path, name: str) -> None:
    model = RandomLlama()
    model.tensors[name] = np.zeros((3, 5), np.float32)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert f"tensor '{name}' has shape [5, 3]; allowed: [" in error.message


@pytest.mark.parametrize("name", ["token_embd.weight", "blk.0.attn_q.weight", "output_norm.weight"])
@pytest.mark.parametrize("kind", [np.int8, np.int32, np.float64])
def test_a_type_that_cannot_be_computed_is_named(tmp_path: Path, name: str, kind: type) -> None:
    model = RandomLlama()
    model.tensors[name] = model.tensors[name].astype(kind)
    error = error_of(model, tmp_path)
    assert (error.code, error.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
    assert f"tensor '{name}' has type " in error.message
    assert "supported: f32, f16" in error.message


def test_what_is_not_needed_is_ignored(tmp_path: Path) -> None:
    model = RandomLlama()
    model.tensors["blk.7.attn_q.weight"] = np.zeros((2, 3), np.int8)
    load(model, tmp_path)
