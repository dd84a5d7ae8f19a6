"""What ``serve`` does to the folder that it runs on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from llm_runner_router.cli.served_folder import folder_of, recover_folder, served
from llm_runner_router.config.sources import LoadedConfig, load_config
from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.folder_lock import folder_lock
from llm_runner_router.migrate.step import Step
from llm_runner_router.server.pid_file import running_services
from unit.migrate.folders import old_folder
from unit.migrate.test_recovery import interrupted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(folder: Path) -> LoadedConfig:
    return load_config({"server": {"port": 7}}, environment={}, folder=folder)


def addresses(folder: Path) -> list[str]:
    return [service.address for service in running_services(folder)]


def test_the_folder_of_a_configuration(folder: Path) -> None:
    assert folder_of(None) == folder
    assert folder_of(Path("a/config.json")) == folder / "a"
    assert folder_of(Path("a/config/config.json")) == folder / "a"


@pytest.mark.parametrize("config_file", [None, Path("config/config.json")])
def test_what_was_interrupted_is_finished_first(
    folder: Path,
    config_file: Path | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    interrupted(old_folder(folder), Step.PLACE_FILE, monkeypatch)
    with caplog.at_level(logging.WARNING):
        recover_folder(config_file)
        recover_folder(config_file)
    assert (folder / "models/registry.sqlite").is_file()
    assert [record.message for record in caplog.records] == [
        "an interrupted migration was finished"
    ]


def test_a_migration_that_is_going_on_keeps_services_off(folder: Path) -> None:
    (folder / ".llm-router-migration").mkdir()
    with folder_lock(folder), pytest.raises(MigrationError, match="at work"):
        recover_folder(None)


def test_a_service_is_told_of_before_it_listens_and_while_it_does(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    told: list[str] = []
    with served(loaded(folder), told.append) as announced:
        assert addresses(folder) == ["127.0.0.1:7"]
        announced("127.0.0.1:50051")
        assert addresses(folder) == ["127.0.0.1:50051"]
    assert told == ["127.0.0.1:50051"]
    assert addresses(folder) == []
    assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_without_a_configuration_no_folder_is_served(folder: Path) -> None:
    with served(loaded(folder), lambda _: None) as announced:
        announced("127.0.0.1:50051")
        assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "config.json").write_text("{}")
    (folder / ".llm-router").touch()
    with (
        caplog.at_level(logging.WARNING),
        served(loaded(folder), lambda _: None) as announced,
    ):
        announced("127.0.0.1:50051")
    assert "no pid file in" in caplog.text
