"""How much of a file has not come yet."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.registry.sources.web.missing import missing_bytes, size_of


def test_only_files_have_a_size(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert size_of(path) is None
    assert size_of(tmp_path) is None
    path.symlink_to(path)
    assert size_of(path) is None
    path.unlink()
    path.write_bytes(b"1234")
    assert size_of(path) == 4


def test_what_lies_there_need_not_come(tmp_path: Path) -> None:
    path, part = tmp_path / "f", tmp_path / "f.part"
    assert missing_bytes(path, 10) == 10
    part.write_bytes(b"1234")
    assert missing_bytes(path, 10) == 6
    assert missing_bytes(path, 3) == 0
    path.write_bytes(b"1")
    assert missing_bytes(path, 10) == 6
    assert missing_bytes(path, 1) == 0
