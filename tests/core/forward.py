"""Forward passes of the core, as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llm_runner_router import _core

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK_SIZE = 16


def load(path: Path, **options: Any) -> _core.testing.ForwardPass:
    """A model with F32 keys and values, unless ``options`` say otherwise."""
    return _core.testing.ForwardPass(
        str(path), **{"threads": 2, "block_size": BLOCK_SIZE, **options}
    )


def logits(
    model: _core.testing.ForwardPass, *items: tuple[Sequence[int], int, Sequence[int], int]
) -> NDArray[np.float32]:
    """One batch: per item its tokens, the first one's position, its blocks and its outputs."""
    rows = np.frombuffer(model.run([tuple(item) for item in items]), np.float32)
    return rows.reshape(-1, model.vocabulary)


def whole(model: _core.testing.ForwardPass, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Logits at every position of one sequence, computed at once."""
    blocks = range(-(-len(tokens) // BLOCK_SIZE))
    return logits(model, (tokens, 0, list(blocks), len(tokens)))


def log_softmax(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-probabilities of logits, row by row."""
    wide = rows.astype(np.float64)
    shifted = wide - wide.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def random_tokens(count: int, vocabulary: int, seed: int = 0) -> list[int]:
    """Token ids past the special ones."""
    return [int(token) for token in np.random.default_rng(seed).integers(4, vocabulary, count)]
