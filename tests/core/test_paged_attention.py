"""The attention kernels of each instruction set: right, and independent of the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from llm_runner_router import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Span = tuple[int, int, int, list[int]]  # first token, tokens, position of the first, blocks

ISAS = _core.testing.attention_isas()
SCALE = 0.125  # what the binding uses
BLOCK_SIZE = 4


@dataclass(frozen=True)
class Problem:
    """Random queries, and a pool whose blocks lie in no order."""

    queries: NDArray[np.float32]  # [tokens, heads, head_dim]
    keys: NDArray[np.generic]  # [slots, kv_heads, head_dim]
    values: NDArray[np.generic]
    blocks: list[int]

    @classmethod
    def random(
        cls, tokens: int, heads: int = 6, kv_heads: int = 2, head_dim: int = 20, half: bool = False
    ) -> Problem:
        rng = np.random.default_rng(7)
        blocks = -(-tokens // BLOCK_SIZE)
        kind = np.float16 if half else np.float32
        pool = rng.normal(size=(2, blocks * BLOCK_SIZE, kv_heads, head_dim)).astype(kind)
        # Keys far apart make a sharp softmax, which rescales often.
        queries = 3 * rng.normal(size=(tokens, heads, head_dim)).astype(np.float32)
        order = [int(block) for block in rng.permutation(blocks)]
        return cls(queries, pool[0], pool[1], order)

    def run(
        self,
        isa: str,
        spans: list[Span],
        queries: NDArray[np.float32] | None = None,
        threads: int = 1,
    ) -> NDArray[np.float32]:
        rows = self.queries if queries is None else queries
        found = _core.testing.attention(
            isa,
            np.ascontiguousarray(rows).tobytes(),
            self.keys.tobytes(),
            self.values.tobytes(),
            spans,
            half=self.keys.dtype == np.float16,
            heads=self.queries.shape[1],
            kv_heads=self.keys.shape[1],
            head_dim=self.queries.shape[2],
            block_size=BLOCK_SIZE,
            threads=threads,
        )
        return np.frombuffer(found, np.float32).reshape(rows.shape)

    def whole(self, isa: str) -> NDArray[np.float32]:
        return self.run(isa, [(0, len(self.queries), 0, self.blocks)])

    def expected(self) -> NDArray[np.float64]:
        """Softmax attention in double precision."""
        slots = [
            self.blocks[position // BLOCK_SIZE] * BLOCK_SIZE + position % BLOCK_SIZE
            for position in range(len(self.queries))
        ]
        group = self.queries.shape[1] // self.keys.shape[1]
        keys = self.keys[slots].astype(np.float64).repeat(group, axis=1)
        values = self.values[slots].astype(np.float64).repeat(group, axis=1)
        scores = SCALE * np.einsum("thd,phd->htp", self.queries.astype(np.float64), keys)
        scores[:, ~np.tri(len(slots), dtype=bool)] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return np.einsum("htp,phd->thd", weights, values)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("half", [False, True], ids=["f32", "f16"])
@pytest.mark.parametrize("head_dim", [1, 8, 20, 64, 128, 512])
@pytest.mark.parametrize(("heads", "kv_heads"), [(4, 4), (6, 2), (70, 1)])
def test_the_kernel_computes_softmax_attention(
    isa: str, half: bool, head_dim: int, heads: int, kv_heads: int
) -> None:
    problem = Problem.random(70, heads, kv_heads, head_dim, half)
    np.testing.assert_allclose(problem.whole(isa), problem.expected(), atol=5e-5)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("half", [False, True], ids=["f32", "f16"])
def test_results_do_not_depend_on_chunks_threads_or_company(isa: str, half: bool) -> None:
    problem = Problem.random(150, half=half)
    alone = problem.whole(isa)
    for size in (1, 7, 64):
        for first in range(0, 150, size):
            count = min(size, 150 - first)
            rows = problem.queries[first : first + count]
            part = problem.run(isa, [(0, count, first, problem.blocks)], rows)
            assert (part == alone[first : first + count]).all()
    for threads in (2, 5):
        spans = [(0, 150, 0, problem.blocks)]
        assert (problem.run(isa, spans, threads=threads) == alone).all()
    # Two sequences of one batch over the same blocks, the second from position 100 on.
    both = np.concatenate([problem.queries, problem.queries[100:]])
    found = problem.run(
        isa, [(0, 150, 0, problem.blocks), (150, 50, 100, problem.blocks)], both, threads=3
    )
    assert (found == np.concatenate([alone, alone[100:]])).all()


@pytest.mark.parametrize("isa", ISAS)
def test_a_token_never_sees_what_comes_later(isa: str) -> None:
    problem = Problem.random(40)
    before = problem.whole(isa)
    for pool in (problem.keys, problem.values):
        slot = problem.blocks[30 // BLOCK_SIZE] * BLOCK_SIZE + 30 % BLOCK_SIZE
        pool[slot] = np.inf
    after = problem.whole(isa)
    assert (after[:30] == before[:30]).all()
    assert not np.isfinite(after[30:]).any()


@pytest.mark.parametrize("isa", ISAS)
def test_what_is_no_number_stays_none(isa: str) -> None:
    problem = Problem.random(40)
    problem.queries[5] = np.nan
    found = problem.whole(isa)
    assert np.isnan(found[5]).all()
    assert np.isfinite(np.delete(found, 5, axis=0)).all()


def test_the_generic_kernel_is_always_there() -> None:
    assert "generic" in ISAS
