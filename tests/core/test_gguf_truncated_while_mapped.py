"""A file that shrinks while it is mapped: reading it raises an error, and the process lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import gguf_bytes as gb
from llm_runner_router import _core

PAGES = 64
PAGE = os.sysconf("SC_PAGESIZE")


def big_file(path: Path) -> Path:
    size = PAGES * PAGE
    file = gb.GgufBytes(tensors=[gb.tensor(b"t", (size // 4,))], data=b"\x01" * size)
    path.write_bytes(file.build())
    return path


@pytest.mark.parametrize("left", [0, 1, PAGE, 10 * PAGE + 17])
def test_reading_what_was_cut_off_is_data_loss(tmp_path: Path, left: int) -> None:
    path = big_file(tmp_path / "cut.gguf")
    file = _core.GgufFile(path)
    assert not file.damaged
    os.truncate(path, left)
    with pytest.raises(_core.CoreError, match="cut short") as caught:
        file.read_tensor("t")
    assert (caught.value.code, caught.value.reason) == ("DATA_LOSS", "GGUF_TRUNCATED")
    assert file.damaged


def test_damage_stays_with_its_file(tmp_path: Path) -> None:
    cut, whole = big_file(tmp_path / "cut.gguf"), big_file(tmp_path / "whole.gguf")
    cut_file, whole_file = _core.GgufFile(cut), _core.GgufFile(whole)
    os.truncate(cut, 0)
    with pytest.raises(_core.CoreError):
        cut_file.read_tensor("t")
    assert whole_file.read_tensor("t") == b"\x01" * (PAGES * PAGE)
    assert not whole_file.damaged


def test_a_slot_that_is_used_again_starts_undamaged(tmp_path: Path) -> None:
    path = big_file(tmp_path / "cut.gguf")
    file = _core.GgufFile(path)
    os.truncate(path, 0)
    with pytest.raises(_core.CoreError):
        file.read_tensor("t")
    del file
    assert not _core.GgufFile(big_file(path)).damaged


def test_more_mappings_than_slots_are_refused(tmp_path: Path) -> None:
    path = big_file(tmp_path / "many.gguf")
    files = []
    with pytest.raises(_core.CoreError, match="at most 256") as caught:
        files.extend(_core.GgufFile(path) for _ in range(257))
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_MAPPINGS")
    files.clear()
    assert not _core.GgufFile(path).damaged


def test_other_bus_errors_still_end_the_process(tmp_path: Path) -> None:
    """Our handler must pass on what is not ours: the process dies as it would have without it."""
    path = big_file(tmp_path / "other.gguf")
    program = f"""
import mmap, os
from llm_runner_router import _core
file = _core.GgufFile({str(path)!r})
with open({str(path)!r}, "rb") as raw:
    foreign = mmap.mmap(raw.fileno(), 0, prot=mmap.PROT_READ)
os.truncate({str(path)!r}, 0)
foreign[4096 * 8]
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGBUS
