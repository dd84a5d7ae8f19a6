"""Graphs of many layers and adapters: ggml aborts where one has no room in its scheduler."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core import forward
from core.random_adapter import RandomAdapter
from core.random_gpt2 import RandomGpt2
from core.random_llama import RandomLlama
from core.random_model import RandomModel, Sizes
from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = [1, 2, 3]
NARROW = Sizes(embedding=2, feed_forward=2, heads=1, kv_heads=1, head_dim=2, vocabulary=4)


def deep(make: type[RandomModel], layers: int) -> RandomModel:
    """With every tensor that a layer may have."""
    model = make(Sizes(layers=layers, kv_heads=4 if make is RandomGpt2 else 2))
    if make is RandomLlama:
        model.tensors["rope_freqs.weight"] = np.ones(4, np.float32)
        for name, array in list(model.tensors.items()):
            if array.ndim > 1 and name != "token_embd.weight":
                bias = np.zeros(array.shape[0], np.float32)
                model.tensors[name.replace(".weight", ".bias")] = bias
    return model


def logits(path: Path, **options: Any) -> np.ndarray:
    return forward.whole(forward.load(path, **options), TOKENS)


@pytest.mark.parametrize("make", [RandomLlama, RandomGpt2])
@pytest.mark.parametrize("layers", [20, 41, 84, 127])  # around the sizes of ggml's hash tables
def test_all_layers_have_room(tmp_path: Path, make: type[RandomModel], layers: int) -> None:
    path = deep(make, layers).write(tmp_path / "model.gguf")
    paged = logits(path)
    np.testing.assert_allclose(paged, logits(path, attention="ggml"), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("make", [RandomLlama, RandomGpt2])
@pytest.mark.parametrize(("layers", "count"), [(12, 4), (32, 6), (32, 16)])
def test_all_adapters_have_room(
    tmp_path: Path, make: type[RandomModel], layers: int, count: int
) -> None:
    model = deep(make, layers)
    path = model.write(tmp_path / "model.gguf")
    one = str(RandomAdapter(model).write(tmp_path / "adapter.gguf"))
    found = logits(path, adapters=[(one, 0.01)] * count)
    expected = logits(path, adapters=[(one, 0.01 * count)])
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_more_adapted_maps_than_any_model_has_are_refused(tmp_path: Path) -> None:
    """Before the scheduler asks for memory that it cannot do without."""
    model = RandomLlama(replace(NARROW, layers=147))
    path = model.write(tmp_path / "model.gguf")
    one = str(RandomAdapter(model, rank=1).write(tmp_path / "adapter.gguf"))
    with pytest.raises(_core.CoreError, match="change 16480 maps; supported: 16384") as caught:
        logits(path, adapters=[(one, 1.0)] * 16)
    assert (caught.value.code, caught.value.reason) == ("UNIMPLEMENTED", "MODEL_UNSUPPORTED")
