"""What a command writes takes the place of one file of the user's, and harms no other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from llm_runner_router.cli import output_file
from llm_runner_router.cli.output_file import target_of, write_whole


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def written(file: Path, content: bytes = b"new") -> bytes:
    write_whole(target_of(file), content)
    return file.read_bytes()


def mode(file: Path) -> int:
    return S_IMODE(file.stat().st_mode)


@pytest.mark.usefixtures("usual_umask")
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o666])
def test_the_mode_stays(tmp_path: Path, bits: int) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    file.chmod(bits)
    assert written(file) == b"new"
    assert mode(file) == bits


@pytest.mark.usefixtures("usual_umask")
def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert written(tmp_path / "f") == b"new"
    assert mode(tmp_path / "f") == 0o600


def test_nothing_but_the_file_is_touched(tmp_path: Path) -> None:
    names = ["f", "f.new", "f.tmp", "f.part", "f~"]
    for name in names:
        (tmp_path / name).write_text("notes")
    written(tmp_path / "f")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert {(tmp_path / name).read_text() for name in names[1:]} == {"notes"}


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "f").write_bytes(b"old")
    for name, leads in (("link", "there/f"), ("dangling", "there/g")):
        link = tmp_path / name
        link.symlink_to(leads)
        assert written(link) == b"new"
        assert str(link.readlink()) == leads
        assert (tmp_path / leads).read_bytes() == b"new"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "pipe", "link", "loop"):
        with pytest.raises(OSError, match=r"no regular file|symbolic links"):
            target_of(tmp_path / name)
        with pytest.raises(OSError, match=r"no regular file|symbolic links"):
            write_whole(tmp_path / name, b"new")
    assert (tmp_path / "pipe").is_fifo()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_failure_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, f"no space for {descriptor}")

    monkeypatch.setattr(output_file.os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(tmp_path / "f", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"old")
    sync, seen = os.fsync, []

    def watching(descriptor: int) -> None:
        seen.append((tmp_path / "f").read_bytes())
        sync(descriptor)

    monkeypatch.setattr(output_file.os, "fsync", watching)
    written(tmp_path / "f")
    assert seen == [b"old", b"new"]  # the content, then the name
