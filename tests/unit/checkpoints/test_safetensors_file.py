from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from llm_runner_router.checkpoints.safetensors_file import TensorReader, read_header
from llm_runner_router.errors import ModelFileError


def raw(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def entry(
    begin: int, end: int, shape: list[Any] | None = None, dtype: object = "F32"
) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape or [1], "data_offsets": [begin, end]}


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.array([0.5, -2], np.float16),
        "c": np.zeros((0, 3), np.float32),
    }
    save_file(tensors, tmp_path / "m", metadata={"format": "pt"})
    found = read_header(tmp_path / "m")
    assert {name: tensor.shape for name, tensor in found.items()} == {
        "a": (2, 3),
        "b": (2,),
        "c": (0, 3),
    }
    reader = TensorReader()
    assert reader.floats(found["a"], 1, 3).tolist() == [1, 2, 3]
    assert reader.floats(found["b"], 0, 2).tolist() == [0.5, -2]
    reader.close()
    reader.close()


def test_bfloat16_is_the_upper_half_of_a_float(tmp_path: Path) -> None:
    values = np.array([1.0, -3.140625, 1e30, 0.0], np.float32)
    halves = (values.view(np.uint32) >> 16).astype(np.uint16)
    path = raw(tmp_path / "m", {"a": entry(0, 8, [4], "BF16")}, halves.tobytes())
    found = TensorReader().floats(read_header(path)["a"], 0, 4)
    assert found.tolist() == (halves.astype(np.uint32) << 16).view(np.float32).tolist()
    assert abs(found / np.where(values == 0, 1, values)).max() < 1.01


HOSTILE: dict[str, tuple[object, bytes, int | None]] = {
    "longer than the file": ({}, b"", 1 << 40),
    "far too long": ({}, b"", (1 << 64) - 1),
    "no json": (b"{", b"", None),
    "deep json": (b'{"a":' * 200_000, b"", None),
    "a list": ([], b"", None),
    "no entry": ({"a": 1}, b"", None),
    "no shape": ({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, b"1234", None),
    "unknown type": ({"a": entry(0, 4, dtype="F33")}, b"1234", None),
    "type of no kind": ({"a": entry(0, 4, dtype=[])}, b"1234", None),
    "negative shape": ({"a": entry(0, 4, [-1, -1])}, b"1234", None),
    "overflowing shape": ({"a": entry(0, 0, [1 << 47, 1 << 47])}, b"", None),
    "fraction": ({"a": entry(0, 4, [1.0])}, b"1234", None),
    "true": ({"a": entry(0, 4, [True])}, b"1234", None),
    "too many dimensions": ({"a": entry(0, 4, [1] * 9)}, b"1234", None),
    "negative offset": ({"a": entry(-4, 0)}, b"", None),
    "other size": ({"a": entry(0, 8)}, b"12345678", None),
    "beyond the end": ({"a": entry(0, 4)}, b"123", None),
    "a gap": ({"a": entry(4, 8)}, b"12345678", None),
    "bytes left": ({"a": entry(0, 4)}, b"12345678", None),
    "over another, and a gap": ({"a": entry(0, 4), "b": entry(0, 4)}, b"12345678", None),
    "over another": ({"a": entry(0, 4), "b": entry(0, 4)}, b"1234", None),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(ModelFileError, match="checkpoint"):
        read_header(raw(tmp_path / "m", *HOSTILE[case]))


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"123")
    os.mkfifo(tmp_path / "pipe")
    for name in ("short", "pipe", "none", "."):
        with pytest.raises(ModelFileError):
            read_header(tmp_path / name)


def test_a_file_that_was_cut_meanwhile(tmp_path: Path) -> None:
    path = raw(tmp_path / "m", {"a": entry(0, 8, [2])}, bytes(8))
    tensor = read_header(path)["a"]
    reader = TensorReader()
    assert reader.floats(tensor, 0, 2).tolist() == [0, 0]
    os.truncate(path, path.stat().st_size - 4)
    with pytest.raises(ModelFileError, match="shorter"):
        reader.floats(tensor, 0, 2)
