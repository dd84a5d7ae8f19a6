from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from llm_runner_router.checkpoints.file_names import INDEX, SINGLE
from llm_runner_router.checkpoints.weights import read_tensors, weight_files
from llm_runner_router.errors import ModelFileError, UnsupportedError

ONE = {"a": np.ones(2, np.float32)}
TWO = {"b": np.ones(3, np.float32)}


def sharded(folder: Path, index: object) -> Path:
    save_file(ONE, folder / "model-00001-of-00002.safetensors")
    save_file(TWO, folder / "model-00002-of-00002.safetensors")
    (folder / INDEX).write_text(json.dumps({"weight_map": index}))
    return folder


def shard(number: int) -> str:
    return f"model-0000{number}-of-00002.safetensors"


def test_a_set_of_files(tmp_path: Path) -> None:
    found = read_tensors(sharded(tmp_path, {"a": shard(1), "b": shard(2)}))
    assert {name: tensor.file.name for name, tensor in found.items()} == {
        "a": shard(1),
        "b": shard(2),
    }
    save_file(ONE, tmp_path / SINGLE)
    assert weight_files(tmp_path) == (SINGLE,)


@pytest.mark.parametrize(
    "index",
    [
        {},
        [],
        {"a": "../model-00001-of-00002.safetensors"},
        {"a": "/etc/passwd"},
        {"a": "sub/model.safetensors"},
        {"a": "..safetensors"},
        {"a": 1},
        {"a": shard(2), "b": shard(1)},
        {"a": shard(1), "b": shard(1)},
        {"a": shard(1), "c": shard(2)},
        {"a": "model-00003-of-00003.safetensors"},
        {f"t{number}": f"m{number}.safetensors" for number in range(2000)},
    ],
)
def test_an_index_that_lies_is_refused(tmp_path: Path, index: object) -> None:
    with pytest.raises(ModelFileError):
        read_tensors(sharded(tmp_path, index))


@pytest.mark.parametrize("name", ["../x.safetensors", "/x.safetensors", "sub/x.safetensors", "x"])
def test_files_elsewhere_are_not_even_looked_for(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="no file of the folder"):
        weight_files(sharded(tmp_path, {"a": name}))


def test_one_tensor_in_two_files(tmp_path: Path) -> None:
    sharded(tmp_path, {"a": shard(1), "b": shard(2)})
    shutil.copy(tmp_path / shard(1), tmp_path / shard(2))
    with pytest.raises(ModelFileError, match="another file too"):
        read_tensors(tmp_path)


def test_pickled_weights_are_never_read(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04cposix\nsystem\n")
    with pytest.raises(UnsupportedError, match=r"pickled.*safetensors"):
        read_tensors(tmp_path)
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(ModelFileError, match="neither"):
        read_tensors(tmp_path)
