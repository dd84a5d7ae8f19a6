from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from llm_runner_router.migrate import durable
from unit.migrate.disk_log import recorded


@pytest.fixture(params=[0o000, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode_of(path: Path) -> int:
    return S_IMODE(path.lstat().st_mode)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o400, 0o644, 0o666, 0o4755])
def test_a_written_file_has_the_very_mode(tmp_path: Path, mode: int) -> None:
    like = durable.with_mode(tmp_path.stat(), mode)
    with recorded(tmp_path) as log:
        durable.write(tmp_path / "a", b"text", like, 5_000_000_001)
    assert (tmp_path / "a").read_bytes() == b"text"
    assert mode_of(tmp_path / "a") == mode
    assert (tmp_path / "a").stat().st_mtime_ns == 5_000_000_001
    assert log == [("sync", "a")]


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("absent")
    for name in ("a", "link"):
        with pytest.raises(FileExistsError):
            durable.write(tmp_path / name, b"text", tmp_path.stat())
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert not (tmp_path / "absent").exists()


@pytest.mark.usefixtures("umask")
def test_a_folder_has_the_very_mode_each_time(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for _ in range(2):
        with recorded(tmp_path) as log:
            durable.make_folder(tmp_path / "f", 0o775)
        assert mode_of(tmp_path / "f") == 0o775
        assert log == [("sync", ".")]


def test_new_files_are_as_open_as_their_folder(tmp_path: Path) -> None:
    for mode, file, folder in (
        (0o700, 0o600, 0o700),
        (0o755, 0o644, 0o755),
        (0o1777, 0o664, 0o775),
    ):
        (tmp_path).chmod(mode)
        inner = tmp_path / "not" / "there"
        assert S_IMODE(durable.new_like(inner, durable.FILE_BITS).st_mode) == file
        assert S_IMODE(durable.new_like(inner, durable.FOLDER_BITS).st_mode) == folder


def test_owners_are_kept_where_that_is_permitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(path: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        asked.append((user, group))
        raise PermissionError(path, follow_symlinks)

    monkeypatch.setattr(os, "chown", refuse)
    like = os.stat_result((0o644, 0, 0, 0, 1234, 567, 0, 0, 0, 0))
    durable.write(tmp_path / "a", b"text", like)
    assert asked == [(1234, 567)]
    assert (tmp_path / "a").read_bytes() == b"text"


def test_a_rename_is_known_in_both_folders(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "from/a").write_bytes(b"text")
    with recorded(tmp_path) as log:
        durable.rename(tmp_path / "from/a", tmp_path / "to/b")
    assert log == [("rename", "to/b"), ("sync", "to"), ("sync", "from")]
    assert (tmp_path / "to/b").read_bytes() == b"text"


def test_a_copy_is_the_same_file_or_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    (tmp_path / "a").chmod(0o604)
    os.utime(tmp_path / "a", ns=(7, 7))
    (tmp_path / "link").symlink_to("a")
    for _ in range(2):
        with recorded(tmp_path) as log:
            durable.copy(tmp_path / "a", tmp_path / "b")
            durable.copy(tmp_path / "link", tmp_path / "c")
        assert log == [("sync", "b")]
    state = (tmp_path / "b").lstat()
    assert (S_IMODE(state.st_mode), state.st_mtime_ns) == (0o604, 7)
    assert (tmp_path / "b").read_bytes() == b"text"
    assert (tmp_path / "c").readlink() == Path("a")


def test_all_names_below_reach_the_disk(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    with recorded(tmp_path) as log:
        durable.sync_folders(tmp_path)
    assert log == [("sync", "a/b"), ("sync", "a"), ("sync", ".")]


def test_parents_are_made_for_this_user_alone(tmp_path: Path) -> None:
    durable.make_parents(tmp_path / "a/b/file", tmp_path)
    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "a/b") == 0o700
    assert not (tmp_path / "a/b/file").exists()


def test_a_tree_goes_for_good(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    with recorded(tmp_path) as log:
        durable.remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert log == [("sync", ".")]
    durable.remove_tree(tmp_path / "a")
