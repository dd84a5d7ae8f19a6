from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.backup import newest
from llm_runner_router.migrate.restoration import Restoration, restoration_of
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.folders import (
    DATABASE,
    make_database,
    memory_folder,
    old_folder,
    plan_of,
    snapshot,
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that was migrated."""
    with memory_folder() as place:
        migrate(plan_of(old_folder(place)), trial=make_database)
        yield place


def seen(folder: Path) -> Restoration:
    before = snapshot(folder, backups=True)
    result = restoration_of(newest(folder))
    assert snapshot(folder, backups=True) == before
    return result


def paths(things: object) -> set[str]:
    assert isinstance(things, list | tuple)
    return {str(getattr(it, "path", it)) for it in things}


def test_a_folder_just_after_its_migration(folder: Path) -> None:
    wanted = seen(folder)
    assert paths(wanted.restored) == {
        *("config/config.json", "models/registry.json", ".env", "package.json")
    }
    assert paths(wanted.discarded) == {"models/configs/chat.json"}
    assert paths(wanted.set_aside) == {"models/registry.sqlite"}
    assert paths(wanted.moves) == {"models/chat.gguf"}
    assert paths(wanted.folders) == {"models/cache", "models/configs"}
    assert (wanted.saved, wanted.notes, wanted.empty) == ([], [], False)


def test_a_folder_that_is_back(folder: Path) -> None:
    manifest = newest(folder).manifest
    for kept in manifest.files:
        (folder / kept.path).write_bytes(newest(folder).content(kept).read_bytes())
        (folder / kept.path).chmod(kept.mode)
    (folder / "package.json").unlink()
    (folder / "package.json").symlink_to("package.real.json")
    (folder / "models/cache/chat.gguf").rename(folder / "models/chat.gguf")
    (folder / "models/cache").rmdir()
    (folder / "models/configs/chat.json").unlink()
    (folder / "models/configs").rmdir()
    (folder / DATABASE).unlink()
    assert seen(folder).empty


def test_a_wrong_mode_alone_is_mended(folder: Path) -> None:
    backup = newest(folder)
    (config,) = (it for it in backup.manifest.files if it.path.name == "config.json")
    (folder / config.path).write_bytes(backup.content(config).read_bytes())
    assert config not in seen(folder).files
    (folder / config.path).chmod(0o644)
    wanted = seen(folder)
    assert config in wanted.files
    assert wanted.saved == []


def test_what_was_edited_since_is_saved(folder: Path) -> None:
    (folder / ".env").write_bytes(b"MINE=1")
    (folder / "package.json").write_bytes(b"{}")
    (folder / "models/configs/chat.json").write_bytes(b'{"mine": 1}')
    wanted = seen(folder)
    assert paths(wanted.saved) == {".env", "package.json"}
    assert paths(wanted.set_aside) == {"models/configs/chat.json", "models/registry.sqlite"}
    assert wanted.discarded == []


def test_what_was_removed_since_is_restored(folder: Path) -> None:
    for name in (".env", "package.json", "models/configs/chat.json", "models/registry.sqlite"):
        (folder / name).unlink()
    wanted = seen(folder)
    assert {".env", "package.json"} <= paths(wanted.restored)
    assert (wanted.saved, wanted.set_aside, wanted.discarded) == ([], [], [])


def test_a_used_database_goes_with_all_its_files(folder: Path) -> None:
    for end in ("-wal", "-shm", ".lock"):
        (folder / f"{DATABASE}{end}").touch()
    wanted = seen(folder)
    assert paths(wanted.set_aside) == {f"{DATABASE}{end}" for end in ("", "-wal", "-shm")}
    assert f"{DATABASE}.lock" in paths(wanted.discarded)


def test_models_that_are_gone_changed_or_there_again(folder: Path) -> None:
    model = folder / "models/cache/chat.gguf"
    model.chmod(0o644)
    model.write_bytes(b"GGUF and more")
    wanted = seen(folder)
    assert paths(wanted.moves) == {"models/chat.gguf"}
    assert [note.split(";")[0] for note in wanted.notes] == [
        "models/cache/chat.gguf has changed since the migration"
    ]
    (folder / "models/chat.gguf").write_bytes(b"another")
    assert "models/chat.gguf" in paths(seen(folder).set_aside)
    model.unlink()
    wanted = seen(folder)
    assert (wanted.moves, wanted.notes) == ([], [])
    (folder / "models/chat.gguf").unlink()
    assert seen(folder).notes == [
        "models/cache/chat.gguf is gone, so models/chat.gguf is not there again"
    ]


def test_a_link_in_the_place_of_a_file_is_saved_as_a_link(folder: Path) -> None:
    (folder / ".env").unlink()
    (folder / ".env").symlink_to("/nowhere")
    assert ".env" in paths(seen(folder).saved)


@pytest.mark.parametrize("name", [".env", "package.json", "models/chat.gguf"])
def test_a_folder_in_the_way_is_told(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    with pytest.raises(MigrationError, match=f"{name} is a folder now"):
        seen(folder)


def test_a_folder_in_the_place_of_an_added_file_stays(folder: Path) -> None:
    (folder / "models/configs/chat.json").unlink()
    (folder / "models/configs/chat.json").mkdir()
    assert seen(folder).notes == ["models/configs/chat.json is a folder now, and stays"]
