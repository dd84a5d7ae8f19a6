from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.config import migrated_config
from llm_runner_router.migrate.setting_files import (
    check_files,
    fault_of,
    log_fault,
    registry_fault,
)


def test_a_registry_is_a_database_or_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "registry"
    assert registry_fault(path) == ""
    path.touch()
    assert registry_fault(path) == ""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE x (y)")
    assert registry_fault(path) == ""
    path.write_bytes(b'{"models": []}')
    assert registry_fault(path).startswith("an SQLite database")
    assert registry_fault(tmp_path).startswith("an SQLite database")


def test_a_registry_that_is_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert registry_fault(tmp_path / "pipe").startswith("an SQLite database")


def test_a_log_can_be_written(tmp_path: Path) -> None:
    assert log_fault(tmp_path / "a/b/x.log") == ""
    assert not (tmp_path / "a").exists()
    (tmp_path / "x.log").touch()
    assert log_fault(tmp_path / "x.log") == ""
    assert log_fault(tmp_path) == "a file that can be written"
    assert log_fault(tmp_path / "x.log/y.log").endswith("x.log is none")
    assert log_fault(Path("/dev/null")) == ""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_log_where_not_even_root_can_write() -> None:
    assert log_fault(Path("/proc/nope/x.log")).endswith("in /proc nothing can be made")


def test_what_is_wrong_is_named_as_in_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(b"{}")
    check_files(tmp_path, migrated_config({"logFile": "x.log", "registry": {"path": "r.sqlite"}}))
    for old, where in (
        ({"logFile": "."}, "logFile"),
        ({"registry": {"path": "r.json"}}, "registry.path"),
    ):
        with pytest.raises(InvalidConfigError) as caught:
            check_files(tmp_path, migrated_config(old))
        assert caught.value.field == where


def test_nothing_is_said_of_a_file_that_only_another_user_may_look_at() -> None:
    def denied(_: Path) -> str:
        raise PermissionError(13, "Permission denied")

    assert fault_of(denied, Path("x")) == ""


@pytest.mark.parametrize("old", [{"logFile": "x" * 300}, {"registry": {"path": "x" * 300}}])
def test_a_path_that_no_disk_takes_is_refused(tmp_path: Path, old: dict[str, object]) -> None:
    with pytest.raises(InvalidConfigError, match="too long"):
        check_files(tmp_path, migrated_config(old))
