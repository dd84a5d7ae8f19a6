from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.checkpoints.gguf_output import output_bytes, write_gguf
from llm_runner_router.checkpoints.layouts import Computed, PlannedTensor
from llm_runner_router.errors import ModelFileError, UnsupportedError
from llm_runner_router.inspection.model_file import read_model
from unit import tiny_checkpoint as tiny


def blueprint(*values: float) -> Blueprint:
    array = np.array(values, np.float32)
    matrix = PlannedTensor("m", (1, len(values)), Computed(array))
    vector = PlannedTensor("v", (len(values),), Computed(array))
    return Blueprint("llama", 8, 3, {"rope.freq_base": 1.5}, (matrix, vector))


def ignore(tensor: str, done: int) -> None:
    del tensor, done


@pytest.mark.parametrize(("element", "kind"), [("F16", np.float16), ("F32", np.float32)])
def test_numbers_and_keys(tmp_path: Path, element: str, kind: type) -> None:
    told: list[tuple[str, int]] = []
    found = blueprint(1.0, -0.5, 3.0)
    write_gguf(tmp_path / "x", found, {"k": ["a", "b"], "n": 3, "e": ""}, element,
               lambda *step: told.append(step))  # fmt: skip
    reader = GGUFReader(tmp_path / "x")
    matrix, vector = reader.tensors
    assert (matrix.data.dtype, vector.data.dtype) == (kind, np.float32)
    assert matrix.data.ravel().tolist() == vector.data.tolist() == [1.0, -0.5, 3.0]
    assert reader.fields["k"].contents() == ["a", "b"]
    assert (reader.fields["n"].contents(), reader.fields["e"].contents()) == (3, "")
    assert reader.fields["llama.rope.freq_base"].contents() == 1.5
    assert told == [("m", 0), ("v", 3 * np.dtype(kind).itemsize)]
    assert output_bytes(found, element) == told[1][1] + 12
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_whatever_ends_it_leaves_nothing(tmp_path: Path) -> None:
    def stop(tensor: str, done: int) -> None:
        assert (tmp_path / "x.part").exists()
        if tensor == "v" and done:
            raise KeyboardInterrupt

    (tmp_path / "x").write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_gguf(tmp_path / "x", blueprint(1.0), {}, "F16", stop)
    assert (tmp_path / "x").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


def test_numbers_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="F32"):
        write_gguf(tmp_path / "x", blueprint(1e6), {}, "F16", ignore)
    write_gguf(tmp_path / "y", blueprint(1e6), {}, "F32", ignore)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ModelFileError, match="not finite"):
            write_gguf(tmp_path / "x", blueprint(wrong), {}, "F32", ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["y"]


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_the_engine_finds_no_fault_in_it(tmp_path: Path, name: str) -> None:
    config, tensors = {
        "llama": (tiny.llama_config(), tiny.llama_tensors()),
        "gpt2": (tiny.gpt2_config(), tiny.gpt2_tensors()),
    }[name]
    checkpoint = Checkpoint.of(tiny.write(tmp_path / "c", config, tensors))
    found = checkpoint.blueprint()
    write_gguf(tmp_path / "m.gguf", found, checkpoint.tokenizer(found).values, "F16", ignore)
    assert read_model(tmp_path / "m.gguf").faults == ()
