from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate import plain_file
from llm_runner_router.migrate.plain_file import read_plain


def refused(folder: Path, path: str, why: str) -> str:
    with pytest.raises(InvalidConfigError, match=why) as caught:
        read_plain(folder, PurePosixPath(path), 10)
    return caught.value.field


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_plain(tmp_path, PurePosixPath("a"), 10) == b"0123456789"
    assert read_plain(tmp_path, PurePosixPath("b"), 10) is None
    assert read_plain(tmp_path, PurePosixPath("a/b"), 10) is None
    assert read_plain(tmp_path, PurePosixPath("c/b"), 10) is None


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_bytes(b"1")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "file").symlink_to("real/a")
    (tmp_path / "nowhere").symlink_to("missing")
    assert refused(tmp_path, "folder/a", "'a symbolic link'") == "folder"
    assert refused(tmp_path, "file", "'a symbolic link'") == "file"
    assert refused(tmp_path, "nowhere", "'a symbolic link'") == "nowhere"


def test_links_above_a_file_are_refused_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "real/b").mkdir(parents=True)
    (tmp_path / "real/b/c").write_bytes(b"1")
    (tmp_path / "a").symlink_to("real")
    assert refused(tmp_path, "a/b/c", "'a symbolic link'") == "a"
    assert read_plain(tmp_path, PurePosixPath("a/b/missing"), 10) is None


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path, "folder", "Is a directory") == "folder"
    assert refused(tmp_path, "pipe", "no regular file") == "pipe"


def test_large_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    assert refused(tmp_path, "a", "at most 10 bytes") == "a"


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(plain_file, "read_regular", no_entry)
    assert refused(tmp_path, "a", "Permission denied") == "a"
