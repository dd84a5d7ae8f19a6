from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from stat import S_IMODE

import pytest

from llm_runner_router.migrate.actions import MakeFolder, Move, Place, RemoveFolder
from llm_runner_router.migrate.backup import newest
from llm_runner_router.migrate.restoration import restoration_of
from llm_runner_router.migrate.restoring import journal_of, restore
from llm_runner_router.migrate.step import unobserved
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.disk_log import recorded
from unit.migrate.folders import make_database, memory_folder, old_folder, plan_of

WORK = ".llm-router-migration"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that was migrated, and edited."""
    with memory_folder() as place:
        migrate(plan_of(old_folder(place)), trial=make_database)
        (place / ".env").write_bytes(b"MINE=1")
        yield place


def test_the_order_keeps_everything(folder: Path) -> None:
    """What is edited is copied before it is overwritten, and folders go when they are empty."""
    wanted = restoration_of(newest(folder))
    room, replaced = PurePosixPath("room"), PurePosixPath("kept")
    actions = journal_of(wanted, room, replaced).actions
    saved = actions.index(Place(staged=room / "saved/0", path=replaced / ".env"))
    restored = [
        number
        for number, action in enumerate(actions)
        if isinstance(action, Place) and action.staged.parent == room / "restored"
    ]
    assert len(restored) == 4
    assert saved < min(restored)
    kinds = [type(action) for action in actions]
    assert kinds[-2:] == [RemoveFolder, RemoveFolder]
    assert Move not in kinds[max(restored) :]
    made = [action.path for action in actions if isinstance(action, MakeFolder)]
    assert made == [replaced, replaced / "models"]


def test_everything_is_on_the_disk_in_its_order(folder: Path) -> None:
    with recorded(folder) as log:
        replaced = restore(restoration_of(newest(folder)), unobserved)
    assert replaced is not None
    decided = log.position("rename", f"{WORK}/journal.json")
    assert log[decided + 1] == ("sync", WORK)
    room = next(path for kind, path in log if kind == "sync" and path.startswith(f"{WORK}/rollb"))
    room = "/".join(room.split("/")[:2])
    for path in ("restored/0", "restored/2", "saved/0", "restored", "saved", ""):
        assert log.position("sync", f"{room}/{path}".rstrip("/")) < decided
    placed = [(place, path) for place, path in log.renames() if place > decided]
    assert len(placed) == 8
    for place, path in placed:
        assert log[place + 1] == ("sync", str(Path(path).parent))
    assert log[-1] == ("sync", ".")


def test_old_times_come_back(folder: Path) -> None:
    kept = {it.path: it.modified_ns for it in newest(folder).manifest.files}
    restore(restoration_of(newest(folder)), unobserved)
    assert {path: (folder / path).stat().st_mtime_ns for path in kept} == kept


def test_old_modes_come_back(folder: Path) -> None:
    kept = {it.path: it.mode for it in newest(folder).manifest.files}
    for path in kept:
        (folder / path).chmod(0o600)
    restore(restoration_of(newest(folder)), unobserved)
    assert {path: S_IMODE((folder / path).stat().st_mode) for path in kept} == kept


def test_nothing_is_kept_where_nothing_had_changed(tmp_path: Path) -> None:
    plan = plan_of(old_folder(tmp_path))
    migrate(plan, trial=make_database)
    (tmp_path / "models/registry.sqlite").unlink()
    backup = newest(tmp_path)
    assert restore(restoration_of(backup), unobserved) is None
    assert not (backup.path / "replaced").exists()


def test_a_folder_that_is_gone_is_made_again(folder: Path) -> None:
    (folder / "config/config.json").unlink()
    (folder / "config").rmdir()
    restore(restoration_of(newest(folder)), unobserved)
    assert (folder / "config/config.json").is_file()
