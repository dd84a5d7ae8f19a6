"""LoRA adapters as llama.cpp applies them, and as transformers has the merged weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from core import forward
from core.random_adapter import Parameters, RandomAdapter
from golden import gpt2_models, llama_cpp, reference_models
from golden.reference_models import VOCABULARY

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


TOKENS = forward.random_tokens(64, VOCABULARY)
POSITIONS = range(0, 64, 3)
SCALE = 0.75


def adapter_of(model: Parameters) -> RandomAdapter[Parameters]:
    return RandomAdapter(model, rank=6, alpha=12.0)


def found(model: Path, adapter: Path) -> NDArray[np.float64]:
    loaded = forward.load(model, adapters=[(str(adapter), SCALE)])
    return forward.log_softmax(forward.whole(loaded, TOKENS))


def test_adapted_llama_is_the_merged_one_of_transformers(tmp_path: Path) -> None:
    model = reference_models.build("biased")
    path = reference_models.export(model, tmp_path / "model.gguf")
    before = reference_models.logprobs(model, TOKENS)
    parameters = Parameters("llama", reference_models.to_arrays(model))
    adapter = adapter_of(parameters)
    reference_models.from_arrays(model, adapter.merged_into(parameters, SCALE).tensors)
    expected = reference_models.logprobs(model, TOKENS)
    assert np.abs(found(path, adapter.write(tmp_path / "a.gguf")) - expected).max() < 1e-4
    assert np.abs(before - expected).max() > 0.1


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_llama_cpp_adapts_alike(tmp_path: Path, architecture: str) -> None:
    """Apart from its GELU, which is less exact."""
    path = tmp_path / "model.gguf"
    if architecture == "llama":
        llama = reference_models.build("grouped")
        arrays = reference_models.to_arrays(llama)
        reference_models.export(llama, path)
    else:
        gpt2 = gpt2_models.build("tied")
        arrays = gpt2_models.to_arrays(gpt2)
        gpt2_models.export(gpt2, path)
    adapter = adapter_of(Parameters(architecture, arrays)).write(tmp_path / "adapter.gguf")
    with llama_cpp.serve(path, VOCABULARY, adapters=[(str(adapter), SCALE)]) as peer:
        expected = peer.logprobs(TOKENS, POSITIONS)
    own = found(path, adapter)[POSITIONS]
    assert np.abs(own - expected).max() < (1e-4 if architecture == "llama" else 2e-2)
    plain = forward.log_softmax(forward.whole(forward.load(path), TOKENS))[POSITIONS]
    assert np.abs(plain - expected).max() > 0.1
