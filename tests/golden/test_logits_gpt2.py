"""GPT-2 against transformers and llama.cpp."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core import forward
from golden import gpt2_models, llama_cpp, reference_models
from golden.gpt2_models import CONTEXT, VARIANTS, VOCABULARY, Export

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from golden.reference_models import Arrays

TOLERANCE = 1e-4
PLAIN = Export()
TOKENS = forward.random_tokens(CONTEXT, VOCABULARY)  # to the last position
VARIANT = "rows-of-256"
POSITIONS = range(20, 220, 4)


@functools.cache
def reference(variant: str, kind: str = "f32") -> NDArray[np.float64]:
    """What transformers says to TOKENS, with matrices rounded to ``kind``."""
    model = gpt2_models.build(variant)
    gpt2_models.round_matrices(model, kind)
    return reference_models.logprobs(model, TOKENS)


def write(folder: Path, variant: str, how: Export = PLAIN) -> Path:
    return gpt2_models.export(gpt2_models.build(variant), folder / "model.gguf", how)


def error(path: Path, variant: str, attention: str = "paged") -> float:
    """Our largest error on TOKENS."""
    found = forward.whole(forward.load(path, attention=attention), TOKENS)
    return float(np.abs(forward.log_softmax(found) - reference(variant)).max())


@pytest.mark.parametrize("attention", ["paged", "ggml"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_logprobs_are_those_of_transformers(tmp_path: Path, variant: str, attention: str) -> None:
    assert error(write(tmp_path, variant), variant, attention) < TOLERANCE


@pytest.mark.parametrize("variant", VARIANTS)
def test_greedy_choices_are_those_of_transformers(tmp_path: Path, variant: str) -> None:
    found = forward.whole(forward.load(write(tmp_path, variant)), TOKENS)
    best = np.sort(reference(variant), axis=-1)
    clear = best[:, -1] - best[:, -2] > 1e-3
    assert clear.sum() > 0.95 * CONTEXT
    assert (found.argmax(axis=-1) == reference(variant).argmax(axis=-1))[clear].all()


def shift_positions(arrays: Arrays) -> None:
    arrays["position_embd.weight"] = np.roll(arrays["position_embd.weight"], 1, axis=0)


def swap_queries_and_keys(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if "attn_qkv" in name:
            queries, keys, values = np.split(array, 3)
            arrays[name] = np.concatenate([keys, queries, values])


def drop(part: str, number: float) -> Export:
    """Biases, or weights of norms, that do nothing."""

    def change(arrays: Arrays) -> None:
        for name, array in arrays.items():
            if name.endswith(part):
                arrays[name] = np.full_like(array, number)

    return Export(change=change)


@pytest.mark.parametrize(
    "wrong",
    [
        Export(norm_epsilon=1e-3),
        Export(change=shift_positions),
        Export(change=swap_queries_and_keys),
        *(
            drop(f"{name}.bias", 0.0)
            for name in ("attn_qkv", "attn_output", "ffn_up", "ffn_down", "attn_norm", "ffn_norm")
        ),
        drop("output_norm.bias", 0.0),
        drop("ffn_norm.weight", 1.0),
    ],
)
def test_a_wrong_number_fails_the_bound(tmp_path: Path, wrong: Export) -> None:
    assert error(write(tmp_path, "tied", wrong), "tied") > 2 * TOLERANCE


@pytest.mark.parametrize("kind", ["f16", "bf16", "q8_0"])
def test_positions_may_have_any_type(tmp_path: Path, kind: str) -> None:
    model = gpt2_models.build("tied")
    gpt2_models.round_positions(model, kind)
    expected = reference_models.logprobs(model, TOKENS)
    path = write(tmp_path, "tied", Export(positions=kind))
    found = forward.log_softmax(forward.whole(forward.load(path), TOKENS))
    assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("variant", ["tied", "own-output"])
def test_every_parameter_is_counted_once(tmp_path: Path, variant: str) -> None:
    expected = sum(parameter.numel() for parameter in gpt2_models.build(variant).parameters())
    assert forward.load(write(tmp_path, variant)).parameters == expected


@pytest.mark.parametrize(("kind", "kv_type"), [("f32", "f32"), ("f16", "f16"), ("q4_K", "f16")])
def test_errors_are_not_above_those_of_llama_cpp(tmp_path: Path, kind: str, kv_type: str) -> None:
    """Both compute on the weights that the file stands for; llama.cpp's GELU is less exact."""
    path = write(tmp_path, VARIANT, Export(matrices=kind))
    expected = reference(VARIANT, kind)[POSITIONS]
    found = forward.log_softmax(forward.whole(forward.load(path, kv_type=kv_type), TOKENS))
    with llama_cpp.serve(path, VOCABULARY, kv_type) as peer:
        theirs = peer.logprobs(TOKENS, POSITIONS) - expected
    ours = found[POSITIONS] - expected
    assert np.abs(ours).max() <= 1.25 * np.abs(theirs).max()
    assert (ours**2).mean() <= 1.1 * (theirs**2).mean()
    assert np.abs(theirs).max() < 0.5  # the same model


def test_greedy_text_is_that_of_llama_cpp(tmp_path: Path) -> None:
    path = write(tmp_path, "tied")
    model = forward.load(path)
    tokens = list(TOKENS[:20])
    with llama_cpp.serve(path, VOCABULARY) as peer:
        text = peer.greedy(tokens, 40)
    for _ in range(40):
        tokens.append(int(forward.whole(model, tokens)[-1].argmax()))
    assert "".join(f"w{token}" for token in tokens[20:]) == text
