"""Errors of quantised weights and F16 keys and values, measured against llama.cpp's own.

Both are compared with transformers on the weights that the file stands for, at the same positions
of one random sequence. What is left is how activations and keys and values are rounded.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core import forward
from golden import llama_cpp, reference_models
from golden.reference_models import VOCABULARY, Export
from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from golden.reference_models import Arrays

VARIANT = "rows-of-256"
TOKENS = forward.random_tokens(220, VOCABULARY)
POSITIONS = range(20, 220, 2)
# The largest error may be so much larger than llama.cpp's; over all positions and tokens there is
# hardly a difference, so a small mistake shows there first.
LARGEST = 1.25
MEAN_SQUARE = 1.05

# F32 has a bound of its own, in test_logits.py: here its errors are too small to compare.
TYPES = [kind for kind in _core.testing.weight_types() if kind != "f32"]


@dataclass(frozen=True)
class Errors:
    largest: float
    root_mean_square: float

    @classmethod
    def of(cls, found: NDArray[np.float64], expected: NDArray[np.float64]) -> Errors:
        difference = found - expected
        return cls(float(np.abs(difference).max()), float(np.sqrt((difference**2).mean())))

    def within(self, peer: Errors) -> bool:
        """Whether these errors pass beside the peer's."""
        return (
            self.largest <= LARGEST * peer.largest
            and self.root_mean_square <= MEAN_SQUARE * peer.root_mean_square
        )


@functools.cache
def reference(kind: str) -> NDArray[np.float64]:
    model = reference_models.build(VARIANT)
    reference_models.round_matrices(model, kind)
    return reference_models.logprobs(model, TOKENS)[POSITIONS]


def ours(path: Path, kind: str, kv_type: str, attention: str = "paged") -> Errors:
    model = forward.load(path, kv_type=kv_type, attention=attention)
    found = forward.log_softmax(forward.whole(model, TOKENS)[POSITIONS])
    return Errors.of(found, reference(kind))


def theirs(path: Path, kind: str, kv_type: str) -> Errors:
    with llama_cpp.serve(path, VOCABULARY, kv_type) as peer:
        return Errors.of(peer.logprobs(TOKENS, POSITIONS), reference(kind))


def export(folder: Path, how: Export) -> Path:
    return reference_models.export(reference_models.build(VARIANT), folder / "model.gguf", how)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_weight(tmp_path: Path, kind: str) -> None:
    path = export(tmp_path, Export(matrices=kind))
    peer = theirs(path, kind, "f32")
    assert ours(path, kind, "f32").within(peer)
    assert ours(path, kind, "f32", attention="ggml").within(peer)


@pytest.mark.parametrize("kind", ["f32", "f16", "q8_0", "q4_K"])
def test_f16_keys_and_values(tmp_path: Path, kind: str) -> None:
    path = export(tmp_path, Export(matrices=kind))
    peer = theirs(path, kind, "f16")
    assert ours(path, kind, "f16").within(peer)
    assert ours(path, kind, "f16", attention="ggml").within(peer)


def scale_attention(arrays: Arrays) -> None:
    """What a scale that is off by 1 % would do."""
    for name, array in arrays.items():
        if "attn_q." in name:
            arrays[name] = array * np.float32(1.01)


@pytest.mark.parametrize(("kind", "kv_type"), [("f32", "f16"), ("q8_0", "f32")])
def test_wrong_numbers_fail_the_bounds(tmp_path: Path, kind: str, kv_type: str) -> None:
    peer = theirs(export(tmp_path, Export(matrices=kind)), kind, kv_type)
    wrong = {
        "theta": Export(matrices=kind, rope_theta=10100.0),
        "epsilon": Export(matrices=kind, norm_epsilon=1e-4),
        "scale": Export(matrices=kind, change=scale_attention),
    }
    passed = [
        name
        for name, how in wrong.items()
        if ours(export(tmp_path, how), kind, kv_type).within(peer)
    ]
    assert passed == []
