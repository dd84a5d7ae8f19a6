"""The section "Rollback Procedures": by the command, and by hand."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from integration.guide.command_line import done, refused
from integration.guide.projects import BACKUPS, Migrated, project, state


@pytest.fixture
def mine(migrated: Migrated, tmp_path: Path) -> Migrated:
    """A copy to roll back."""
    folder = shutil.copytree(migrated.folder, tmp_path / "desk")
    assert state(folder) == migrated.after
    return replace(migrated, folder=folder)


def test_automatic(mine: Migrated, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder itself and without a word more, as in the guide."""
    monkeypatch.chdir(mine.folder)
    done("rollback", "--yes")
    assert state(mine.folder) == mine.before
    assert "nothing to do" in done("rollback", "--yes").said
    assert state(mine.folder) == mine.before
    done("migrate", "--yes")  # and it may be migrated again
    assert len(done("backups", "list", "--json").json) == 2


def test_automatic_keeps_what_came_since(mine: Migrated) -> None:
    later = mine.folder / "notes.txt"
    later.write_text("mine")
    with (mine.folder / ".env").open("a") as file:
        file.write("NEW_SECRET=1\n")
    done("rollback", "--folder", mine.folder, "--yes")
    after = state(mine.folder)
    assert after.pop("notes.txt").content == b"mine"
    assert after == mine.before
    kept = [path for path in (mine.folder / BACKUPS).rglob(".env") if path.is_file()]
    assert any(b"NEW_SECRET=1" in path.read_bytes() for path in kept)


def test_automatic_tells_of_pm2_and_leaves_it_alone(mine: Migrated) -> None:
    said = done("rollback", "--folder", mine.folder, "--yes").said
    assert "ecosystem.config.js" in said
    assert "pm2" in said


def test_automatic_refuses_a_damaged_backup(mine: Migrated) -> None:
    kept = next(path for path in (mine.folder / BACKUPS).rglob("package.json"))
    kept.write_bytes(kept.read_bytes()[:-1])
    after = state(mine.folder)
    assert "package.json" in refused("rollback", "--folder", mine.folder, "--yes").said
    assert state(mine.folder) == after


def test_without_a_backup(tmp_path: Path) -> None:
    folder = project("v1_1", tmp_path / "app")
    before = state(folder)
    assert "no backup" in refused("rollback", "--folder", folder, "--yes").said
    assert state(folder) == before


def test_by_hand(mine: Migrated) -> None:
    """The content of the backup is plain files: copying them back restores their content."""
    (backup,) = [path for path in (mine.folder / BACKUPS).iterdir() if path.is_dir()]
    files = next(path for path in backup.iterdir() if (path / "package.json").is_file())
    shutil.copytree(files, mine.folder, dirs_exist_ok=True)
    after = state(mine.folder)
    for path in ("package.json", ".env", "config/config.json", "models/registry.json"):
        assert after[path].content == mine.before[path].content, path
