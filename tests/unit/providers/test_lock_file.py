"""A lock has one holder, and its file nobody who could be mistaken for one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_runner_router.providers.lock_file import lock_path, try_lock, unlock


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    path = lock_path(tmp_path / "f")
    assert path == tmp_path / "f.lock"
    held = try_lock(path)
    assert held is not None
    assert try_lock(path) is None
    unlock(path, held)
    assert list(tmp_path.iterdir()) == []
    again = try_lock(path)
    assert again is not None
    unlock(path, again)


def test_what_a_killed_process_has_left_is_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "f.lock"
    path.touch()
    held = try_lock(path)
    assert held is not None
    unlock(path, held)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_taken_away_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f.lock"
    monkeypatch.setattr("fcntl.flock", lambda *_: path.unlink())
    assert try_lock(path) is None


def test_a_lock_is_given_back_where_its_file_cannot_be_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "f.lock"
    held = try_lock(path)
    assert held is not None
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match=r"directory|permitted"):
        unlock(path, held)
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(held)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        try_lock(tmp_path / "missing" / "f.lock")
