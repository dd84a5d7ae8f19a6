"""GPT-2 in a few lines of numpy, in double precision: what the graph must compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from core.random_gpt2 import RandomGpt2

    Array = NDArray[np.float64]


def gelu(x: Array) -> Array:
    """By its tanh approximation, which is GPT-2's."""
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


class NumpyGpt2:
    """A model of the same parameters."""

    def __init__(self, model: RandomGpt2) -> None:
        self._heads = model.sizes.heads
        self._layers = model.sizes.layers
        self._epsilon = float(model.metadata["attention.layer_norm_epsilon"][0])
        self._tensors: Mapping[str, NDArray[Any]] = {
            name: array.astype(np.float64) for name, array in model.tensors.items()
        }

    def logits(self, tokens: Sequence[int]) -> Array:
        """At every position: ``[len(tokens), vocabulary]``."""
        embedding = self._tensors["token_embd.weight"]
        x = embedding[list(tokens)] + self._tensors["position_embd.weight"][: len(tokens)]
        for layer in range(self._layers):
            prefix = f"blk.{layer}."
            x = x + self._attend(prefix, self._norm(f"{prefix}attn_norm", x))
            inner = gelu(self._apply(f"{prefix}ffn_up", self._norm(f"{prefix}ffn_norm", x)))
            x = x + self._apply(f"{prefix}ffn_down", inner)
        output = self._tensors.get("output.weight", embedding)
        return self._norm("output_norm", x) @ output.T

    def _apply(self, name: str, x: Array) -> Array:
        found: Array = x @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return found

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self._epsilon)
        scaled: Array = centred / spread * self._tensors[f"{name}.weight"]
        return scaled + self._tensors[f"{name}.bias"]

    def _attend(self, prefix: str, x: Array) -> Array:
        parts = np.split(self._apply(f"{prefix}attn_qkv", x), 3, axis=-1)
        q, k, v = (part.reshape(len(x), self._heads, -1).swapaxes(0, 1) for part in parts)
        scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])
        scores[:, ~np.tri(len(x), dtype=bool)] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return self._apply(f"{prefix}attn_output", (weights @ v).swapaxes(0, 1).reshape(len(x), -1))
