"""The target appears whole or not at all, whatever ends the work."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest

from core import gguf_bytes as gb
from core import quantize_process
from core.float_models import FloatFile, go_on, matrix
from llm_runner_router import _core

FIRST, SECOND = "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two tensors, the second of more than one step, in a folder of its own."""
    folder = tmp_path / "source"
    folder.mkdir()
    tensors = {FIRST: matrix(64), SECOND: matrix(9000, seed=1)}
    return FloatFile(tensors).write(folder / "model.gguf")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """In a folder with nothing else."""
    (tmp_path / "target").mkdir()
    return tmp_path / "target" / "small.gguf"


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def refused(source: Path, target: Path, **options: bool) -> _core.CoreError:
    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(source, target, "Q8_0", go_on, 1, **options)
    return caught.value


def test_progress_names_the_tensor_and_grows_to_the_end(source: Path, target: Path) -> None:
    steps: list[tuple[str, float]] = []

    def note(tensor: str, fraction: float) -> bool:
        steps.append((tensor, fraction))
        assert not target.exists()
        (partial,) = target.parent.iterdir()
        assert partial.name.startswith("small.gguf.")
        assert partial.name.endswith(".tmp")
        return True

    _core.quantize(source, target, "Q8_0", note, 2)
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 0.1
    assert fractions[-1] > 0.99
    names = [tensor for tensor, _ in steps]
    assert names == [FIRST] * names.count(FIRST) + [SECOND] * names.count(SECOND)
    assert names.count(SECOND) > 3
    assert left(target) == ["small.gguf"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask()
    assert len(gguf.GGUFReader(target).tensors) == 2


def umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


@pytest.mark.parametrize("step", [1, 2, 4])
def test_giving_up_leaves_nothing(source: Path, target: Path, step: int) -> None:
    steps: list[float] = []

    def stop(tensor: str, fraction: float) -> bool:
        del tensor
        steps.append(fraction)
        return len(steps) < step

    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(source, target, "Q8_0", stop, 1)
    assert caught.value.reason == "CANCELLED"
    assert len(steps) == step
    assert left(target) == []


def test_an_exception_of_the_progress_goes_on_and_leaves_nothing(
    source: Path, target: Path
) -> None:
    def fail(tensor: str, fraction: float) -> bool:
        raise KeyboardInterrupt(f"{tensor} {fraction > 0}")

    with pytest.raises(KeyboardInterrupt, match=f"{FIRST} True"):
        _core.quantize(source, target, "Q8_0", fail, 1)
    assert left(target) == []


def test_numbers_that_are_none_leave_nothing(tmp_path: Path, target: Path) -> None:
    spoiled = matrix(9000)
    spoiled[-1, -1] = np.nan
    error = refused(FloatFile({FIRST: spoiled}).write(tmp_path / "model.gguf"), target)
    assert error.reason == "TENSOR_NOT_FINITE"
    assert left(target) == []


def test_what_is_there_stays_unless_it_may_be_replaced(source: Path, target: Path) -> None:
    target.write_text("precious")
    error = refused(source, target)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "FILE_EXISTS")
    assert target.read_text() == "precious"
    _core.quantize(source, target, "Q8_0", go_on, 1, replace=True)
    assert len(gguf.GGUFReader(target).tensors) == 2
    assert left(target) == ["small.gguf"]


def appear(target: Path) -> Callable[[str, float], bool]:
    """A progress in whose course somebody else writes the target."""

    def write(tensor: str, fraction: float) -> bool:
        del tensor, fraction
        target.write_text("another's")
        return True

    return write


def test_a_target_that_appears_meanwhile_stays(source: Path, target: Path) -> None:
    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(source, target, "Q8_0", appear(target), 1)
    assert caught.value.reason == "FILE_EXISTS"
    assert target.read_text() == "another's"
    assert left(target) == ["small.gguf"]


def test_giving_up_a_replacement_keeps_what_was_there(source: Path, target: Path) -> None:
    target.write_text("precious")
    with pytest.raises(_core.CoreError):
        _core.quantize(source, target, "Q8_0", lambda *_: False, 1, replace=True)
    assert target.read_text() == "precious"
    assert left(target) == ["small.gguf"]


def test_the_source_is_never_the_target(source: Path, target: Path) -> None:
    before = source.read_bytes()
    target.symlink_to(source)
    for same in (source, source.parent / ".." / source.parent.name / source.name, target):
        error = refused(source, same, replace=True)
        assert (error.code, error.reason) == ("INVALID_ARGUMENT", "TARGET_IS_SOURCE")
    assert source.read_bytes() == before


def test_a_target_that_cannot_be_written(source: Path, target: Path) -> None:
    (target / "inner").mkdir(parents=True)
    assert refused(source, target, replace=True).reason == "FILE_UNWRITABLE"
    assert refused(source, target / "no" / "folder.gguf").reason == "FILE_UNWRITABLE"
    assert refused(source, target.parent / ("x" * 300)).reason == "FILE_UNWRITABLE"
    assert left(target) == ["small.gguf"]


def test_room_is_looked_for_first(tmp_path: Path, target: Path) -> None:
    """A sparse file whose F32 weights take a quarter as Q8_0: still more than there is room."""
    rows = 4 * shutil.disk_usage(tmp_path).free // (4 * 2**20) + 2**10
    file = gb.GgufBytes(tensors=[gb.tensor(SECOND.encode(), (2**20, rows))])
    header = file.build()
    source = tmp_path / "sparse.gguf"
    source.write_bytes(header)
    os.truncate(source, len(header) + 4 * 2**20 * rows)
    error = refused(source, target)
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "DISK_FULL")
    assert "bytes; free are " in error.message
    assert left(target) == []


def process(source: Path, target: Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, quantize_process.__file__, str(source), str(target), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_file_that_may_not_grow_leaves_nothing(source: Path, target: Path) -> None:
    with process(source, target, f"most={1 << 20}") as running:
        said, _ = running.communicate()
    assert said.startswith("DISK_FULL ")
    assert "File too large" in said
    assert left(target) == []


@pytest.mark.parametrize("stop", [0.0, 0.3, 0.99])
def test_a_killed_process_leaves_no_target_and_is_in_nobodys_way(
    source: Path, target: Path, stop: float
) -> None:
    with process(source, target, str(stop)) as running:
        assert running.stdout is not None
        reached = next(line for line in running.stdout if float(line.split()[1]) >= stop)
        assert reached
        running.kill()
    assert running.returncode == -9
    assert not target.exists()
    _core.quantize(source, target, "Q8_0", go_on, 1)
    assert len(gguf.GGUFReader(target).tensors) == 2


def test_a_source_that_shrinks_is_lost_data(source: Path, target: Path) -> None:
    def cut(tensor: str, fraction: float) -> bool:
        del fraction
        if tensor == SECOND and source.stat().st_size > 1 << 16:
            os.truncate(source, 1 << 16)
        return True

    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(source, target, "Q8_0", cut, 1)
    assert (caught.value.code, caught.value.reason) == ("DATA_LOSS", "MODEL_FILE_TRUNCATED")
    assert left(target) == []
