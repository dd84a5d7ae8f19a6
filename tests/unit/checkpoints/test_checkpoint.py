from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.errors import ModelFileError
from unit import tiny_checkpoint as tiny


def identity(folder: Path) -> str:
    return Checkpoint.of(folder).identity(lambda *_: None)


def test_the_identity_is_that_of_the_content(tmp_path: Path) -> None:
    first = tiny.write(tmp_path / "a")
    second = Path(shutil.copytree(first, tmp_path / "b"))
    (second / "README.md").write_text("nothing of it counts")
    assert identity(first) == identity(second)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        before = (second / name).read_bytes()
        (second / name).write_bytes(before + b" ")
        assert identity(first) != identity(second), name
        (second / name).write_bytes(before)
    (second / "generation_config.json").write_text("{}")
    assert identity(first) != identity(second)


def test_the_stamp_tells_files_apart_without_reading_them(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path / "a")
    stamp = Checkpoint.of(folder).stamp()
    assert Checkpoint.of(folder).stamp() == stamp
    os.utime(folder / "config.json", ns=(1, 1))
    assert Checkpoint.of(folder).stamp() != stamp
    assert Checkpoint.of(Path(shutil.copytree(folder, tmp_path / "b"))).stamp() != stamp


def test_what_reads_can_end_it(tmp_path: Path) -> None:
    def stop(name: str, done: int) -> None:
        if name == "model.safetensors":
            assert done > 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Checkpoint.of(tiny.write(tmp_path)).identity(stop)


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ModelFileError, match=r"config\.json"):
            Checkpoint.of(folder)


def test_defaults(tmp_path: Path) -> None:
    checkpoint = Checkpoint.of(tiny.write(tmp_path, generation_config={"top_k": 7}))
    config, notes = checkpoint.defaults(64)
    assert (config.context_length, config.top_k, notes) == (64, 7, ())
    assert checkpoint.defaults(1 << 30)[0].context_length is None
    assert checkpoint.size() == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path)
    (folder / "generation_config.json").unlink(missing_ok=True)
    os.mkfifo(folder / "generation_config.json")
    with pytest.raises(ModelFileError, match="no regular file"):
        identity(folder)
