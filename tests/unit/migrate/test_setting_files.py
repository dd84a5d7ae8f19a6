from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.config import migrated_config
from llm_runner_router.migrate.setting_files import check_files, log_fault, registry_fault


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
