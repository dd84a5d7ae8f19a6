"""Log-probabilities against transformers, with F32 weights and F32 keys and values."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core import forward
from golden import reference_models
from golden.reference_models import VARIANTS, VOCABULARY, Export

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from golden.reference_models import Arrays

TOLERANCE = 1e-4
LENGTH = 220  # tokens: more than a dozen blocks and several steps of the attention


TOKENS = forward.random_tokens(LENGTH, VOCABULARY)


@functools.cache
def reference(variant: str) -> NDArray[np.float64]:
    """What transformers says to TOKENS."""
    return reference_models.logprobs(reference_models.build(variant), TOKENS)


def error(path: Path, variant: str, attention: str = "paged") -> float:
    """Our largest error on TOKENS."""
    found = forward.whole(forward.load(path, attention=attention), TOKENS)
    return float(np.abs(forward.log_softmax(found) - reference(variant)).max())


@pytest.mark.parametrize("attention", ["paged", "ggml"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_logprobs_are_those_of_transformers(tmp_path: Path, variant: str, attention: str) -> None:
    model = reference_models.build(variant)
    path = reference_models.export(model, tmp_path / "model.gguf")
    assert error(path, variant, attention) < TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS)
def test_greedy_choices_are_those_of_transformers(tmp_path: Path, variant: str) -> None:
    path = reference_models.export(reference_models.build(variant), tmp_path / "model.gguf")
    expected = reference(variant)[-200:]
    found = forward.whole(forward.load(path), TOKENS)[-200:]
    best = np.sort(expected, axis=-1)
    clear = best[:, -1] - best[:, -2] > 1e-3
    assert clear.sum() > 190
    assert (found.argmax(axis=-1) == expected.argmax(axis=-1))[clear].all()


def scale_attention(arrays: Arrays) -> None:
    """What a scale that is off by 1 % would do."""
    for name, array in arrays.items():
        if "attn_q." in name:
            arrays[name] = array * np.float32(1.01)


def drop_biases(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if name.endswith("attn_v.bias"):
            arrays[name] = np.zeros_like(array)


@pytest.mark.parametrize(
    ("variant", "wrong"),
    [
        ("grouped", Export(rope_theta=10100.0)),
        ("grouped", Export(norm_epsilon=1e-6)),
        ("grouped", Export(change=scale_attention)),
        ("biased", Export(change=drop_biases)),
        ("llama3-scaling", Export(rope_theta=505000.0)),
        ("llama3-scaling", Export(rope_factors=False)),
        ("linear-scaling", Export(rope_scaling=False)),
        ("yarn-scaling", Export(rope_scaling=False)),
    ],
    ids=["theta", "epsilon", "scale", "bias", "llama3 theta", "llama3", "linear", "yarn"],
)
def test_a_wrong_number_fails_the_bound(tmp_path: Path, variant: str, wrong: Export) -> None:
    model = reference_models.build(variant)
    path = reference_models.export(model, tmp_path / "model.gguf", wrong)
    assert error(path, variant) > 2 * TOLERANCE


@pytest.mark.parametrize(
    "how",
    [Export(vectors="f16"), Export(vectors="bf16"), Export(alignment=8)],
    ids=["f16 vectors", "bf16 vectors", "alignment 8"],
)
def test_vectors_and_alignments_that_need_a_copy(tmp_path: Path, how: Export) -> None:
    model = reference_models.build("biased")
    path = reference_models.export(model, tmp_path / "model.gguf", how)
    reference_models.round_vectors(model, how.vectors)
    tokens = forward.random_tokens(40, VOCABULARY)
    expected = reference_models.logprobs(model, tokens)
    found = forward.whole(forward.load(path), tokens)
    assert np.abs(forward.log_softmax(found) - expected).max() < TOLERANCE


@pytest.mark.parametrize("variant", ["plain", "tied", "biased"])
def test_every_parameter_is_counted_once(tmp_path: Path, variant: str) -> None:
    model = reference_models.build(variant)
    path = reference_models.export(model, tmp_path / "model.gguf")
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert forward.load(path).parameters == expected
