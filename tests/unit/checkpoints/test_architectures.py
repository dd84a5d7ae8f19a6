"""What a configuration and its tensors become, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.checkpoints.layouts import PairedHeads, Transposed
from llm_runner_router.errors import ModelFileError, RouterError, UnsupportedError
from unit import tiny_checkpoint as tiny
from unit.tiny_checkpoint import Tensors


def blueprint(folder: Path, config: dict[str, Any], tensors: Tensors) -> Blueprint:
    return Checkpoint.of(tiny.write(folder, config, tensors)).blueprint()


def test_llama(tmp_path: Path) -> None:
    found = blueprint(tmp_path, tiny.llama_config(), tiny.llama_tensors())
    assert (found.architecture, found.context_length, found.vocabulary) == ("llama", 64, 300)
    assert found.metadata["attention.head_count_kv"] == tiny.KV_HEADS
    assert found.metadata["rope.freq_base"] == 10000.0
    names = [tensor.name for tensor in found.tensors]
    assert names[0] == "token_embd.weight"
    assert "output.weight" in names
    assert len(names) == len(set(names)) == 3 + 9 * tiny.LAYERS


def test_tied_embeddings_are_written_once(tmp_path: Path) -> None:
    config = tiny.llama_config(tie_word_embeddings=True)
    names = {t.name for t in blueprint(tmp_path, config, tiny.llama_tensors()).tensors}
    assert "output.weight" not in names


def test_gpt2_with_its_prefix_and_without(tmp_path: Path) -> None:
    for prefix in ("transformer.", ""):
        tensors = tiny.gpt2_tensors(prefix)
        tensors[f"{prefix}h.0.attn.bias"] = np.ones((1, 1, 4, 4), np.float32)
        found = blueprint(tmp_path, tiny.gpt2_config(), tensors)
        shapes = {tensor.name: tensor.shape for tensor in found.tensors}
        assert shapes["blk.0.attn_qkv.weight"] == (3 * tiny.HIDDEN, tiny.HIDDEN)
        assert shapes["position_embd.weight"] == (tiny.CONTEXT, tiny.HIDDEN)
        assert found.metadata["feed_forward_length"] == 4 * tiny.HIDDEN
        assert len(shapes) == 4 + 12 * tiny.LAYERS


def test_queries_and_keys_of_llama_are_paired_and_nothing_else(tmp_path: Path) -> None:
    config, tensors = tiny.llama_config(attention_bias=True), tiny.llama_tensors()
    for name in [name for name in tensors if ".self_attn." in name]:
        bias = name.replace(".weight", ".bias")
        tensors[bias] = np.zeros(tensors[name].shape[0], np.float32)
    found = blueprint(tmp_path, config, tensors)
    paired = {t.name: t.content.heads for t in found.tensors if isinstance(t.content, PairedHeads)}
    assert paired == {
        f"blk.{layer}.{name}.{part}": heads
        for layer in range(tiny.LAYERS)
        for name, heads in (("attn_q", tiny.HEADS), ("attn_k", tiny.KV_HEADS))
        for part in ("weight", "bias")
    }


def test_the_maps_of_gpt2_are_transposed_and_nothing_else(tmp_path: Path) -> None:
    found = blueprint(tmp_path, tiny.gpt2_config(), tiny.gpt2_tensors())
    transposed = {t.name for t in found.tensors if isinstance(t.content, Transposed)}
    assert transposed == {
        f"blk.{layer}.{name}.weight"
        for layer in range(tiny.LAYERS)
        for name in ("attn_qkv", "attn_output", "ffn_up", "ffn_down")
    }


def test_a_window_of_attention_bounds_the_context(tmp_path: Path) -> None:
    config = tiny.llama_config(architectures=["MistralForCausalLM"], sliding_window=16)
    found = blueprint(tmp_path, config, tiny.llama_tensors())
    assert found.context_length == 16
    assert "16 tokens" in found.notes[0]


LLAMA: dict[str, dict[str, Any]] = {
    "architecture": {"architectures": ["FalconForCausalLM"]},
    "two architectures": {"architectures": ["LlamaForCausalLM", "GPT2LMHeadModel"]},
    "no architecture": {"architectures": None},
    "activation": {"hidden_act": "gelu"},
    "packed": {"quantization_config": {"bits": 4}},
    "parallel": {"pretraining_tp": 2},
    "rope": {"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}},
    "partial rope": {"rope_parameters": {"partial_rotary_factor": 0.5}},
}


@pytest.mark.parametrize("case", LLAMA)
def test_what_the_engine_does_not_run_is_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(UnsupportedError, match="allowed"):
        blueprint(tmp_path, tiny.llama_config(**LLAMA[case]), tiny.llama_tensors())


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_function": "relu"},
        {"scale_attn_weights": False},
        {"scale_attn_by_inverse_layer_idx": True},
        {"add_cross_attention": True},
    ],
)
def test_other_kinds_of_gpt2_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError):
        blueprint(tmp_path, tiny.gpt2_config(**changes), tiny.gpt2_tensors())


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_size": 64},
        {"hidden_size": -1},
        {"num_hidden_layers": 1 << 30},
        {"num_hidden_layers": tiny.LAYERS + 1},
        {"num_attention_heads": 5},
        {"num_key_value_heads": 3},
        {"head_dim": 7},
        {"vocab_size": 301},
        {"attention_bias": True},
        {"rms_norm_eps": 0},
        {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}},
    ],
)
def test_sizes_that_the_tensors_do_not_have(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError):
        blueprint(tmp_path, tiny.llama_config(**changes), tiny.llama_tensors())


def test_tensors_too_many_and_too_few(tmp_path: Path) -> None:
    more = {**tiny.llama_tensors(), "model.layers.0.self_attn.q_norm.weight": np.ones(8)}
    with pytest.raises(UnsupportedError, match="q_norm"):
        blueprint(tmp_path, tiny.llama_config(), more)
    fewer = tiny.llama_tensors()
    del fewer["lm_head.weight"]
    with pytest.raises(ModelFileError, match="lm_head"):
        blueprint(tmp_path, tiny.llama_config(), fewer)
    other = tiny.llama_tensors()
    other["model.norm.weight"] = other["model.norm.weight"].astype(np.float64)
    with pytest.raises(UnsupportedError, match="F64"):
        blueprint(tmp_path, tiny.llama_config(), other)


def test_llama3_scaling_divides_low_frequencies(tmp_path: Path) -> None:
    scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    found = blueprint(tmp_path, tiny.llama_config(rope_scaling=scaling), tiny.llama_tensors())
    (divisors,) = [tensor for tensor in found.tensors if tensor.name == "rope_freqs.weight"]
    assert divisors.shape == (tiny.HIDDEN // tiny.HEADS // 2,)
    (values,) = divisors.content.pieces(None)  # type: ignore[arg-type]
    assert 1.0 <= values[0] < values[-1] == 8.0


def test_linear_scaling(tmp_path: Path) -> None:
    config = tiny.llama_config(rope_scaling={"type": "linear", "factor": 2.0})
    found = blueprint(tmp_path, config, tiny.llama_tensors())
    assert found.metadata["rope.scaling.type"] == "linear"
    assert found.metadata["rope.scaling.factor"] == 2.0


def test_every_truncation_of_the_configuration_is_an_error(tmp_path: Path) -> None:
    tiny.write(tmp_path)
    whole = (tmp_path / "config.json").read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / "config.json").write_bytes(whole[:end])
        with pytest.raises(RouterError):
            Checkpoint.of(tmp_path).blueprint()
