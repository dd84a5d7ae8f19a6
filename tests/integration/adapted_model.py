"""A model with a LoRA adapter, and what both come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from core.random_adapter import Parameters, RandomAdapter
from unit import tiny_model
from unit.vocabularies import bpe


@dataclass(frozen=True)
class AdaptedModel:
    """The contents of GGUF files; ``other`` is an adapter for a model of another width."""

    base: bytes
    adapter: bytes
    merged: bytes
    other: bytes


def adapted_model(folder: Path) -> AdaptedModel:
    """A tiny model whose adapter changes what it says."""
    model = Parameters("llama", tiny_model.weights(len(bpe()["tokenizer.ggml.tokens"]), 1))
    adapter = RandomAdapter(model, alpha=32.0)
    other = RandomAdapter(model, maps=["blk.0.attn_q.weight"])
    name = "blk.0.attn_q.weight.lora_a"
    other.tensors[name] = other.tensors[name][:, :-1]
    base = tiny_model.write(folder / "base.gguf").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_model, "weights", lambda *_: adapter.merged_into(model).tensors)
        merged = tiny_model.write(folder / "merged.gguf").read_bytes()
    return AdaptedModel(
        base=base,
        adapter=adapter.write(folder / "adapter.gguf").read_bytes(),
        merged=merged,
        other=other.write(folder / "other.gguf").read_bytes(),
    )
