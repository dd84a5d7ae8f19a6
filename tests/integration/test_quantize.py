"""``llm-router quantize`` as a process at a terminal, told to end."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core import gguf_bytes as gb

NAME = b"blk.0.ffn_up.weight"
ROWS, COLUMNS = 1 << 19, 1 << 11
"""Two GiB of F16, all holes: seconds of work."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    line = gb.tensor(NAME, (COLUMNS, ROWS), kind=gb.GGML_F16)
    header = gb.GgufBytes(tensors=[line]).build()
    path = tmp_path / "large.gguf"
    path.write_bytes(header)
    os.truncate(path, len(header) + 2 * ROWS * COLUMNS)
    return path


def read_until(terminal: int, words: list[bytes]) -> bytes:
    """What is printed up to the last of the words."""
    said = b""
    while not all(word in said for word in words):
        said += os.read(terminal, 4096)
    return said


def read_rest(terminal: int) -> bytes:
    """What is printed up to the end of the process: Linux then refuses to read."""
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            return said


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_nothing_is_left(source: Path, ending: signal.Signals) -> None:
    target = source.with_name("small.gguf")
    terminal, its_end = pty.openpty()
    command = ("-m", "llm_runner_router.cli", "quantize", str(source), str(target))
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, *command, "--threads", "1"], stderr=its_end, env=environment
    ) as running:
        os.close(its_end)
        read_until(terminal, [NAME, b"/2.0 GiB"])  # its bar: the tensor and the bytes
        assert len(list(source.parent.glob("small.gguf.*.tmp"))) == 1
        running.send_signal(ending)
        said = read_rest(terminal)
    os.close(terminal)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert list(source.parent.iterdir()) == [source]
