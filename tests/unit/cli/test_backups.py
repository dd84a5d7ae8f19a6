"""``llm-router backups``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_runner_router.migrate.backup import backups
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from unit.cli.services import run
from unit.migrate.folders import make_database, old_folder, plan_of
from unit.migrate.test_recovery import interrupted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return old_folder(tmp_path)


def test_a_folder_without_any(folder: Path) -> None:
    result = run("backups", "list", str(folder))
    assert (result.exit_code, result.output) == (0, f"no backups in {folder}\n")
    assert run("backups", "list", str(folder), "--json").output == "[]\n"


def test_what_there_is(folder: Path) -> None:
    migrate(plan_of(folder), trial=make_database)
    (backup,) = backups(folder)
    result = run("backups", "list", str(folder), "--json")
    assert json.loads(result.stdout) == [
        {
            "name": backup.name,
            "state": "whole",
            "from": "1.0",
            "files": ["config/config.json", "models/registry.json", ".env", "package.json"],
            "moved": ["models/chat.gguf"],
            "added": ["models/configs/chat.json", "models/registry.sqlite"],
        }
    ]
    shown = run("backups", "list", str(folder)).stdout
    assert backup.name in shown
    assert "whole" in shown


def test_damage_is_found(folder: Path) -> None:
    migrate(plan_of(folder), trial=make_database)
    (backup,) = backups(folder)
    (backup.path / "files/.env").write_bytes(b"")
    (told,) = json.loads(run("backups", "list", str(folder), "--json").stdout)
    assert told["state"] == "damaged"
    assert "files/.env differs from its checksum" in told["why"]
    assert "differs from its checksum" in run("backups", "list", str(folder)).stdout


def test_an_interrupted_migration_is_brought_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(folder, Step.PLACE_FILE, monkeypatch)
    result = run("backups", "list", str(folder), "--json")
    assert "an interrupted migration was finished" in result.stderr
    assert len(json.loads(result.stdout)) == 1
    assert (folder / "models/registry.sqlite").is_file()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert run("backups", "list", str(tmp_path / "none")).exit_code == 2
