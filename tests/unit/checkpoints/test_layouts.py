from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from llm_runner_router.checkpoints import layouts
from llm_runner_router.checkpoints.layouts import AsStored, Content, PairedHeads, Transposed
from llm_runner_router.checkpoints.safetensors_file import StoredTensor, TensorReader, read_header


@pytest.fixture(params=[4, 7, 1 << 20])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Elements at once: pieces end within rows, too."""
    monkeypatch.setattr(layouts, "PIECE", request.param)
    size: int = request.param
    return size


def stored(folder: Path, values: np.ndarray[Any, Any]) -> StoredTensor:
    save_file({"t": values}, folder / "m")
    return read_header(folder / "m")["t"]


def all_of(content: Content) -> list[float]:
    return np.concatenate(list(content.pieces(TensorReader()))).tolist()  # type: ignore[no-any-return]


VALUES = np.arange(24, dtype=np.float32).reshape(4, 6)


def test_as_stored(tmp_path: Path, piece: int) -> None:
    content = AsStored(stored(tmp_path, VALUES))
    assert all_of(content) == list(range(24))
    assert max(map(len, content.pieces(TensorReader()))) <= piece


def test_transposed(tmp_path: Path, piece: int) -> None:
    assert piece
    content = Transposed(stored(tmp_path, VALUES))
    assert all_of(content) == VALUES.T.ravel().tolist()


def test_rows_of_a_head_are_paired(tmp_path: Path) -> None:
    heads, size, width = 3, 4, 2
    values = np.arange(heads * size * width, dtype=np.float32).reshape(heads * size, width)
    expected = values.reshape(heads, 2, size // 2, width).swapaxes(1, 2).ravel()
    assert all_of(PairedHeads(stored(tmp_path, values), heads)) == expected.tolist()
    # Of a head of four rows, 0 and 2 belong together.
    bias = np.array([0, 1, 2, 3], np.float32)
    assert all_of(PairedHeads(stored(tmp_path, bias), 1)) == [0, 2, 1, 3]
