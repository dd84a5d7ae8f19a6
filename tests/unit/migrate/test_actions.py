"""Each action done once, again, and by halves."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from stat import S_IMODE

import pytest
from pydantic import TypeAdapter, ValidationError

from llm_runner_router.migrate import actions, durable
from llm_runner_router.migrate.actions import (
    STEPS,
    UNFINISHED,
    Action,
    MakeFolder,
    Move,
    Place,
    RemoveFolder,
    carry_out,
)
from unit.migrate.folders import snapshot

A, B = PurePosixPath("a"), PurePosixPath("f/b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f").mkdir()
    (tmp_path / "a").write_bytes(b"a's")
    return tmp_path


@pytest.fixture
def another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only names without a folder lie on one disk, and all others on another."""
    rename = durable.rename

    def refuse(source: Path, target: Path) -> None:
        if source.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link", str(source))
        rename(source, target)

    monkeypatch.setattr(durable, "rename", refuse)
    monkeypatch.setattr(actions, "on_another_disk", lambda path, target: path != target)


def test_a_move(folder: Path) -> None:
    carry_out(folder, Move(path=A, target=B))
    assert snapshot(folder).keys() == {"f", "f/b"}
    assert (folder / B).read_bytes() == b"a's"
    carry_out(folder, Move(path=A, target=B))
    assert (folder / B).read_bytes() == b"a's"


@pytest.mark.parametrize(
    "action",
    [
        Place(staged=A, path=PurePosixPath("out/keys")),
        Move(path=A, target=PurePosixPath("out/new")),
        Move(path=PurePosixPath("out/keys"), target=B),
        MakeFolder(path=PurePosixPath("out/new"), mode=0o700),
        RemoveFolder(path=PurePosixPath("out/empty")),
    ],
    ids=lambda action: action.kind,
)
def test_nothing_is_done_through_a_link_that_leads_out_of_the_folder(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, action: Action
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "keys").write_bytes(b"mine")
    (outside / "empty").mkdir()
    (folder / "out").symlink_to(outside)
    before = snapshot(outside)
    with pytest.raises(OSError, match="nothing is written through"):
        carry_out(folder, action)
    assert snapshot(outside) == before
    assert (folder / A).read_bytes() == b"a's"


@pytest.mark.parametrize("content", [b"new", b"a's"])
def test_a_file_made_later_in_the_old_place_stays(folder: Path, content: bytes) -> None:
    carry_out(folder, Move(path=A, target=B))
    (folder / A).write_bytes(content)
    before = snapshot(folder)
    carry_out(folder, Move(path=A, target=B))
    assert snapshot(folder) == before


def test_a_link_moves_as_it_is(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")
    carry_out(folder, Move(path=PurePosixPath("link"), target=B))
    assert (folder / B).readlink() == Path("nowhere")


def test_a_placed_file_takes_the_place_of_another(folder: Path) -> None:
    (folder / B).write_bytes(b"b's")
    for _ in range(2):
        carry_out(folder, Place(staged=A, path=B))
        assert snapshot(folder).keys() == {"f", "f/b"}
        assert (folder / B).read_bytes() == b"a's"


def test_a_folder_is_made_with_its_mode(folder: Path) -> None:
    made = folder / "f/g"
    for mode in (0o700, 0o775):
        made.mkdir(exist_ok=True)
        made.chmod(mode)
        carry_out(folder, MakeFolder(path=PurePosixPath("f/g"), mode=0o750))
        assert S_IMODE(made.stat().st_mode) == 0o750


def test_only_an_empty_folder_goes(folder: Path) -> None:
    remove = RemoveFolder(path=PurePosixPath("f"))
    (folder / B).touch()
    carry_out(folder, remove)
    assert (folder / "f").is_dir()
    (folder / B).unlink()
    carry_out(folder, remove)
    assert not (folder / "f").exists()
    carry_out(folder, remove)
    carry_out(folder, RemoveFolder(path=A))  # a file by now
    assert (folder / A).is_file()


@pytest.mark.usefixtures("another_disk")
@pytest.mark.parametrize(
    "action", [Move(path=A, target=B), Place(staged=A, path=B)], ids=["move", "place"]
)
class TestAnotherDisk:
    def test_a_file_is_copied_and_taken_away(self, folder: Path, action: Action) -> None:
        (folder / A).chmod(0o640)
        carry_out(folder, action)
        assert snapshot(folder)["f/b"] == (0o640, b"a's")
        assert snapshot(folder).keys() == {"f", "f/b"}

    def test_it_is_there_wholly_or_not_at_all(
        self, folder: Path, action: Action, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Killed while the copy is made, and then once more."""
        copy = durable.copy

        def broken(source: Path, target: Path) -> None:
            copy(source, target)
            target.write_bytes(b"a")
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(durable, "copy", broken)
            with pytest.raises(KeyboardInterrupt):
                carry_out(folder, action)
        assert snapshot(folder).keys() == {"a", "f", "f/b" + UNFINISHED}
        carry_out(folder, action)
        assert snapshot(folder).keys() == {"f", "f/b"}
        assert (folder / B).read_bytes() == b"a's"

    def test_killed_before_it_is_taken_away(
        self, folder: Path, action: Action, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(path: Path) -> None:
            raise KeyboardInterrupt(path)

        with monkeypatch.context() as patch:
            patch.setattr(actions, "take_away", killed)
            with pytest.raises(KeyboardInterrupt):
                carry_out(folder, action)
        assert (folder / A).exists()
        carry_out(folder, action)
        assert snapshot(folder).keys() == {"f", "f/b"}


@pytest.mark.usefixtures("another_disk")
def test_a_file_made_later_on_another_disk_stays(folder: Path) -> None:
    (folder / B).write_bytes(b"b's")
    carry_out(folder, Move(path=A, target=B))
    assert (folder / A).read_bytes() == b"a's"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (b"x", b"x", True),
        (b"x", b"y", False),
        ("x", "x", True),
        ("x", "y", False),
        ("x", b"x", False),
    ],
)
def test_what_is_the_same(
    tmp_path: Path, one: bytes | str, other: bytes | str, expected: bool
) -> None:
    for name, content in (("one", one), ("other", other)):
        if isinstance(content, bytes):
            (tmp_path / name).write_bytes(content)
        else:
            (tmp_path / name).symlink_to(content)
    assert actions.same(tmp_path / "one", tmp_path / "other") == expected


@pytest.mark.parametrize("action", [Move(path=A, target=B), Place(staged=A, path=B)])
def test_other_errors_are_told(
    folder: Path, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EACCES, "Permission denied", str(source), None, str(target))

    monkeypatch.setattr(durable, "rename", refuse)
    with pytest.raises(PermissionError):
        carry_out(folder, action)
    assert (folder / A).read_bytes() == b"a's"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", ""])
def test_actions_stay_in_their_folder(path: str) -> None:
    kinds: list[Callable[[], object]] = [
        lambda: Move(path=PurePosixPath(path), target=B),
        lambda: Move(path=A, target=PurePosixPath(path)),
        lambda: Place(staged=A, path=PurePosixPath(path)),
        lambda: RemoveFolder(path=PurePosixPath(path)),
        lambda: MakeFolder(path=PurePosixPath(path), mode=0o700),
    ]
    for make in kinds:
        with pytest.raises(ValidationError):
            make()


def test_each_kind_is_a_step_of_its_own() -> None:
    assert len(set(STEPS.values())) == 4
    adapter: TypeAdapter[Action] = TypeAdapter(Action)
    for action in (Move(path=A, target=B), MakeFolder(path=A, mode=0o7), RemoveFolder(path=A)):
        assert adapter.validate_json(adapter.dump_json(action)) == action
