"""Digests are right, and computed again exactly where a file may be another one."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.providers import file_digests
from llm_runner_router.providers.file_digests import FileDigests, FileStamp


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read as a whole; changes settle at once."""
    read: list[Path] = []
    original = file_digests.content_digest

    def counting(path: Path, wanted: Callable[[], bool]) -> str | None:
        read.append(path)
        return original(path, wanted)

    monkeypatch.setattr(file_digests, "content_digest", counting)
    monkeypatch.setattr(file_digests, "SETTLED_SECONDS", -1.0)
    return read


def wanted() -> bool:
    return True


def digest(folder: Path, path: Path) -> str | None:
    return FileDigests(folder / "digests.json").sha256(FileStamp.of(path), wanted)


def test_a_file_is_read_once_for_all_processes(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"weights" * 1000)
    expected = hashlib.sha256(b"weights" * 1000).hexdigest()
    assert [digest(tmp_path, path) for _ in range(3)] == [expected] * 3
    assert reads == [path]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["digests.json", "model"]


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path, reads: list[Path]) -> None:
    path, other = tmp_path / "model", tmp_path / "other"
    path.write_bytes(b"first")
    first = digest(tmp_path, path)
    other.write_bytes(b"other")
    stamp = FileStamp.of(path)
    os.utime(other, ns=(stamp.modified_ns, stamp.modified_ns))
    other.rename(path)  # same path, size and time of modification
    assert digest(tmp_path, path) == hashlib.sha256(b"other").hexdigest() != first
    assert len(reads) == 2


def test_a_file_that_was_changed_in_place_is_read_again(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"first")
    stamp = FileStamp.of(path)
    digest(tmp_path, path)
    path.write_bytes(b"other")
    os.utime(path, ns=(stamp.modified_ns, stamp.modified_ns))
    assert digest(tmp_path, path) == hashlib.sha256(b"other").hexdigest()
    assert len(reads) == 2


def test_a_file_that_has_just_changed_is_not_remembered(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_digests, "SETTLED_SECONDS", 3600.0)
    path = tmp_path / "model"
    path.write_bytes(b"first")
    assert digest(tmp_path, path) == digest(tmp_path, path)
    assert len(reads) == 2
    assert not (tmp_path / "digests.json").exists()


def test_another_file_than_the_stamped_one_has_no_digest(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"first")
    digests = FileDigests(tmp_path / "digests.json")
    stamp = FileStamp.of(path)
    assert digests.sha256(replace(stamp, inode=stamp.inode + 1), wanted) is None
    assert digests.sha256(replace(stamp, size=4), wanted) is None
    assert digests.sha256(stamp, wanted) is not None
    path.unlink()
    with pytest.raises(FileNotFoundError):
        digests.sha256(stamp, wanted)
    assert not stamp.present
    assert len(reads) == 4


def test_a_digest_that_nobody_wants_is_given_up(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"first")
    digests = FileDigests(tmp_path / "digests.json")
    assert digests.sha256(FileStamp.of(path), lambda: False) is None
    assert not (tmp_path / "digests.json").exists()
    assert reads == [path]


@pytest.mark.parametrize(
    "sidecar",
    [
        b"",
        b"\xff",
        b"[]",
        b'"text"',
        b"[" * 100_000,
        b"{",
        b'{"PATH": null}',
        b'{"PATH": [5, 0, 0, 0, "short"]}',
        b'{"PATH": [5, 0, 0, "digest"]}',
    ],
)
def test_a_damaged_sidecar_costs_a_digest(
    tmp_path: Path, reads: list[Path], sidecar: bytes
) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"first")
    expected = hashlib.sha256(b"first").hexdigest()
    named = sidecar.replace(b"PATH", str(path).encode())
    (tmp_path / "digests.json").write_bytes(named)
    assert [digest(tmp_path, path) for _ in range(2)] == [expected] * 2
    assert len(reads) == 1
    assert list(json.loads((tmp_path / "digests.json").read_text())) == [str(path)]


def test_the_sidecar_does_not_grow_without_end(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_digests, "MOST_REMEMBERED", 2)
    paths = [tmp_path / f"model{number}" for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
        digest(tmp_path, path)
    assert list(json.loads((tmp_path / "digests.json").read_text())) == [
        str(path) for path in paths[1:]
    ]
    assert len(reads) == 3


def test_a_sidecar_that_cannot_be_written_costs_a_digest(tmp_path: Path, reads: list[Path]) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"first")
    assert [digest(tmp_path / "none", path) for _ in range(2)] != [None, None]
    (tmp_path / "digests.json").mkdir()
    assert digest(tmp_path, path) is not None
    assert sorted(file.name for file in tmp_path.iterdir()) == ["digests.json", "model"]
    assert len(reads) == 3
