from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.folder_lock import folder_lock


def test_one_at_a_time_and_no_trace(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        with (
            pytest.raises(MigrationError, match="another migration or rollback") as caught,
            folder_lock(tmp_path),
        ):
            pytest.fail("two at once")
        assert str(tmp_path) in caught.value.message
        assert list(tmp_path.iterdir()) == []
    with folder_lock(tmp_path):
        pass


def test_two_folders_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with folder_lock(tmp_path), folder_lock(tmp_path / "a"):
        pass


@pytest.mark.parametrize("name", ["absent", "file"])
def test_a_folder_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MigrationError, match=name), folder_lock(tmp_path / name):
        pytest.fail("locked")
