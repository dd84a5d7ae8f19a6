from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.actions import MakeFolder, Move, Place, RemoveFolder
from llm_runner_router.migrate.journal import Journal, clear, complete, decide, decided
from llm_runner_router.migrate.recovery import recover
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.step import Step, unobserved
from unit.migrate.disk_log import recorded
from unit.migrate.folders import snapshot

STAGED = PurePosixPath(WORK, "new")
WHOLE = Journal(
    of="migration",
    actions=(
        MakeFolder(path=PurePosixPath("f"), mode=0o755),
        Move(path=PurePosixPath("a"), target=PurePosixPath("f/a")),
        Place(staged=STAGED, path=PurePosixPath("b")),
        RemoveFolder(path=PurePosixPath("g")),
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / WORK).mkdir()
    (tmp_path / STAGED).write_bytes(b"new")
    (tmp_path / "a").write_bytes(b"a's")
    (tmp_path / "b").write_bytes(b"old")
    (tmp_path / "g").mkdir()
    return tmp_path


def test_what_was_decided_is_read_back(folder: Path) -> None:
    assert decided(folder) is None
    decide(folder, WHOLE, unobserved)
    assert decided(folder) == WHOLE


def test_it_is_on_the_disk_before_it_has_its_name(folder: Path) -> None:
    with recorded(folder) as log:
        decide(folder, WHOLE, unobserved)
    named = f"{WORK}/journal.json"
    assert log == [("sync", f"{WORK}/journal.new"), ("rename", named), ("sync", WORK)]


def test_all_of_it_happens_in_order(folder: Path) -> None:
    steps: list[Step] = []
    decide(folder, WHOLE, unobserved)
    complete(folder, WHOLE, steps.append)
    found = snapshot(folder)
    assert {path: content for path, (_, content) in found.items()} == {
        "f": None,
        "f/a": b"a's",
        "b": b"new",
    }
    assert steps == [
        Step.MAKE_FOLDER,
        Step.MOVE_FILE,
        Step.PLACE_FILE,
        Step.REMOVE_FOLDER,
        Step.FORGET_JOURNAL,
        Step.CLEAR,
    ]


@pytest.mark.parametrize("done", range(5))
def test_what_is_left_can_be_done_later(folder: Path, done: int) -> None:
    left: list[Step] = []

    def interrupt(step: Step) -> None:
        left.append(step)
        if len(left) > done:
            raise KeyboardInterrupt

    decide(folder, WHOLE, unobserved)
    with pytest.raises(KeyboardInterrupt):
        complete(folder, WHOLE, interrupt)
    found = decided(folder)
    assert found is not None
    complete(folder, found, unobserved)
    assert snapshot(folder).keys() == {"f", "f/a", "b"}


def test_the_journal_goes_first(folder: Path) -> None:
    """Else a kill would leave one whose files are gone."""

    def look(step: Step) -> None:
        assert step is Step.CLEAR
        assert decided(folder) is None
        assert (folder / STAGED).exists()

    decide(folder, WHOLE, unobserved)
    with recorded(folder) as log:
        clear(folder, look)
    assert log == [("sync", WORK), ("sync", ".")]
    assert not (folder / WORK).exists()
    clear(folder, look)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"of": "migration", "actions": [{"kind": "x"}]}']
)
def test_a_damaged_journal_is_told(folder: Path, content: bytes) -> None:
    (folder / WORK / "journal.json").write_bytes(content)
    with pytest.raises(MigrationError, match=r"journal\.json.* is damaged"):
        decided(folder)


@pytest.mark.timeout(20)
def test_a_pipe_in_its_place_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / WORK / "journal.json")
    with pytest.raises(MigrationError, match=r"journal\.json.* is damaged"):
        decided(folder)


def test_a_link_to_another_folder_is_left_alone(folder: Path) -> None:
    decide(folder, WHOLE, unobserved)
    shipped = folder / "shipped"
    shipped.mkdir()
    (shipped / WORK).symlink_to(folder / WORK)
    before = snapshot(folder)
    with pytest.raises(MigrationError, match="is a symbolic link"):
        recover(shipped)
    assert snapshot(folder) == before
