from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from stat import S_IMODE

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import backup
from llm_runner_router.migrate.backup import (
    PENDING,
    Backup,
    backups,
    drop,
    drop_partial,
    make_backup,
    newest,
    next_name,
    read_backup,
)
from llm_runner_router.migrate.digest import digest_of
from llm_runner_router.migrate.manifest import KeptFile, Manifest
from llm_runner_router.migrate.step import Step, unobserved
from unit.migrate.disk_log import recorded
from unit.migrate.folders import snapshot

CONTENTS = {PurePosixPath(".env"): b"SECRET=1", PurePosixPath("config/c d.json"): b"{}"}


def manifest(folder: Path) -> Manifest:
    files = [
        KeptFile(
            path=path,
            sha256=digest_of(content),
            mode=0o644,
            size=len(content),
            modified_ns=0,
            written=digest_of(b"new"),
        )
        for path, content in CONTENTS.items()
    ]
    return Manifest(time=next_name(folder), source="1.0", files=tuple(files))


def made(folder: Path, *, carried_out: bool = True) -> Backup:
    result = make_backup(folder, manifest(folder), CONTENTS, unobserved)
    if carried_out:
        (result.path / PENDING).unlink()
    return result


def test_it_holds_everything_and_is_for_its_user_alone(tmp_path: Path) -> None:
    whole = made(tmp_path)
    assert whole.path == tmp_path / "migration-backup" / whole.name
    for file in whole.manifest.files:
        assert whole.content(file).read_bytes() == CONTENTS[file.path]
    modes = {S_IMODE(path.stat().st_mode) & 0o077 for path in tmp_path.rglob("*")}
    assert modes == {0}
    whole.verify()
    assert read_backup(tmp_path, whole.name) == whole


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path) -> None:
    with recorded(tmp_path) as log:
        whole = make_backup(tmp_path, manifest(tmp_path), CONTENTS, unobserved)
    inside = str(whole.inside)
    named = log.position("rename", inside)
    partial = f"{inside}.partial"
    for path in ("files/.env", "files/config/c d.json", "files/config", "files", "manifest.json"):
        assert log.position("sync", f"{partial}/{path}") < named
    assert log.position("sync", partial) < named
    assert log[named + 1] == ("sync", "migration-backup")
    assert ("sync", ".") in log  # the name of the folder of the backups


def test_git_does_not_see_it(tmp_path: Path) -> None:
    """Not even while it is made."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    def untracked() -> str:
        command = ["git", "-C", str(tmp_path), "status", "--short", "-uall"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def look(step: Step) -> None:
        assert step
        assert untracked() == ""

    whole = make_backup(tmp_path, manifest(tmp_path), CONTENTS, look)
    assert untracked() == ""
    drop(whole)
    assert not (tmp_path / "migration-backup").exists()


def test_what_git_is_told_by_the_user_stays(tmp_path: Path) -> None:
    path = tmp_path / "migration-backup/.gitignore"
    path.parent.mkdir()
    path.write_bytes(b"")
    whole = made(tmp_path)
    assert path.read_bytes() == b"*\n"
    path.write_bytes(b"!*\n")
    drop(whole)
    assert path.read_bytes() == b"!*\n"
    made(tmp_path)
    assert path.read_bytes() == b"!*\n"


def test_before_it_has_its_name_it_is_none(tmp_path: Path) -> None:
    def look(step: Step) -> None:
        assert step in {Step.BACK_UP_FILE, Step.WRITE_MANIFEST, Step.KEEP_BACKUP}
        assert backups(tmp_path) == []

    make_backup(tmp_path, manifest(tmp_path), CONTENTS, look)
    assert len(backups(tmp_path)) == 1


def test_contract_10_backups_are_never_overwritten(tmp_path: Path) -> None:
    """Their times differ, also within a microsecond and where the clock goes back."""
    first = made(tmp_path)
    held = snapshot(tmp_path, backups=True)
    late = (datetime.now(UTC) + timedelta(days=400)).strftime(backup.TIME)
    (tmp_path / "migration-backup" / late).mkdir()
    names = [first.name, late, *(made(tmp_path).name for _ in range(5))]
    assert sorted(set(names)) == names
    assert snapshot(tmp_path, backups=True).items() >= held.items()


def test_the_newest_comes_first(tmp_path: Path) -> None:
    assert backups(tmp_path) == []
    one, other = made(tmp_path), made(tmp_path)
    (tmp_path / "migration-backup" / "package.json").touch()  # of older tools
    (tmp_path / "migration-backup" / "config").mkdir()
    assert backups(tmp_path) == [other, one]
    assert newest(tmp_path) == other


def test_the_newest_is_that_of_a_migration_that_was_decided_on(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="no backup of a migration"):
        newest(tmp_path)
    one = made(tmp_path)
    pending = made(tmp_path, carried_out=False)
    assert (one.carried_out, pending.carried_out) == (True, False)
    assert backups(tmp_path) == [pending, one]
    assert newest(tmp_path) == one


def test_a_damaged_list_is_told_and_not_passed_over(tmp_path: Path) -> None:
    one, other = made(tmp_path), made(tmp_path)
    (other.path / "manifest.json").write_bytes(b"{}")
    with pytest.raises(MigrationError, match=rf"{other.name} is damaged"):
        newest(tmp_path)
    assert backups(tmp_path) == [one]
    (other.path / "manifest.json").unlink()
    with pytest.raises(MigrationError, match=rf"{other.name} is damaged: manifest\.json: No such"):
        read_backup(tmp_path, other.name)


@pytest.mark.parametrize("name", ["nope", "..", "../x", "/", "20261129T140000.000000Z"])
def test_an_unknown_name_is_told_with_those_that_are_known(tmp_path: Path, name: str) -> None:
    known = made(tmp_path).name
    with pytest.raises(MigrationError, match=f"no backup '{name}' in .*; there: {known}"):
        read_backup(tmp_path, name)


@pytest.mark.parametrize("damage", ["change", "remove", "link", "folder"])
def test_a_damaged_file_is_found(tmp_path: Path, damage: str) -> None:
    whole = made(tmp_path)
    content = whole.path / "files/.env"
    content.unlink()
    match damage:
        case "change":
            content.write_bytes(b"SECRET=2")
        case "link":
            (tmp_path / "same").write_bytes(b"SECRET=1")
            content.symlink_to(tmp_path / "same")
        case "folder":
            content.mkdir()
    with pytest.raises(MigrationError, match=rf"{whole.name} is damaged: files/\.env"):
        whole.verify()


def test_what_is_left_of_one_goes_and_whole_ones_stay(tmp_path: Path) -> None:
    whole = made(tmp_path)
    (whole.path.with_name("20260101T000000.000000Z.partial") / "files").mkdir(parents=True)
    drop_partial(tmp_path)
    left = {path.name for path in (tmp_path / "migration-backup").iterdir()}
    assert left == {whole.name, ".gitignore"}


def test_what_others_have_there_stays(tmp_path: Path) -> None:
    place = tmp_path / "migration-backup"
    (place / "models.partial").mkdir(parents=True)
    (place / "notes.partial").write_text("mine")
    drop_partial(tmp_path)
    assert {path.name for path in place.iterdir()} == {"models.partial", "notes.partial"}


def test_one_that_is_dropped_has_no_name_from_the_first_moment_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(tmp_path)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt(path)

    with monkeypatch.context() as patch:
        patch.setattr(backup.durable, "remove_tree", killed)
        with pytest.raises(KeyboardInterrupt):
            drop(whole)
    assert backups(tmp_path) == []
    drop_partial(tmp_path)
    assert list(tmp_path.iterdir()) == []
