from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from stat import S_IMODE

import pytest

from llm_runner_router.server.pid_file import PidFile, running_services


def place(folder: Path) -> Path:
    return folder / ".llm-router" / f"{os.getpid()}.pid"


def test_a_service_is_found_while_it_lives(tmp_path: Path) -> None:
    assert running_services(tmp_path) == []
    file = PidFile.create(tmp_path, "127.0.0.1:50051", 2.5)
    (service,) = running_services(tmp_path)
    assert service.path == place(tmp_path)
    assert (service.pid, service.address) == (os.getpid(), "127.0.0.1:50051")
    assert service.drain_timeout == 2.5
    assert service.started.endswith("+00:00")
    file.close()
    assert running_services(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_json_that_others_may_read(tmp_path: Path) -> None:
    file = PidFile.create(tmp_path, "h:1", 30.0)
    values = json.loads(place(tmp_path).read_bytes())
    assert values["pid"] == os.getpid()
    assert S_IMODE(place(tmp_path).stat().st_mode) & 0o444 == 0o444
    file.close()


def test_an_address_that_is_told_later_takes_the_place(tmp_path: Path) -> None:
    first = PidFile.create(tmp_path, "h:0", 1.0)
    second = PidFile.create(tmp_path, "h:1234", 1.0)
    first.close()
    assert [service.address for service in running_services(tmp_path)] == ["h:1234"]
    second.close()
    assert running_services(tmp_path) == []


def test_a_file_whose_lock_is_free_is_removed(tmp_path: Path) -> None:
    PidFile.create(tmp_path, "h:1", 1.0).close()
    stale = place(tmp_path)
    stale.parent.mkdir()
    stale.write_text(
        json.dumps({"pid": os.getpid(), "address": "h", "started": "", "drainTimeout": 1})
    )
    assert running_services(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"pid": 1, "address": "h", "started": "", "drainTimeout": 1}',
        b'{"pid": -1, "address": "h", "started": "", "drainTimeout": 1}',
        b'{"pid": 7, "address": "h", "started": "", "drainTimeout": 1}',
        b'{"pid": 1e999, "address": "h", "started": "", "drainTimeout": 1}',
    ],
)
def test_a_held_file_that_says_nothing_useful_is_no_service(tmp_path: Path, content: bytes) -> None:
    """Nobody is signalled for what a stranger has written."""
    path = tmp_path / ".llm-router" / "1.pid"
    path.parent.mkdir()
    path.write_bytes(content)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert running_services(tmp_path) == []
        assert path.exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".llm-router").touch()
    with pytest.raises(FileExistsError):
        PidFile.create(tmp_path, "h:1", 1.0)


def test_a_pipe_or_a_link_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / ".llm-router"
    folder.mkdir()
    os.mkfifo(folder / "5.pid")
    (folder / "6.pid").symlink_to("/dev/zero")
    assert running_services(tmp_path) == []


def test_nothing_is_removed_or_written_through_a_link(tmp_path: Path) -> None:
    elsewhere, folder = tmp_path / "run", tmp_path / "folder"
    elsewhere.mkdir()
    (elsewhere / "7.pid").write_text('{"pid": 7}')
    folder.mkdir()
    (folder / ".llm-router").symlink_to(elsewhere)
    assert running_services(folder) == []
    with pytest.raises(OSError, match="a symbolic link"):
        PidFile.create(folder, "h:1", 1.0)
    assert [path.name for path in elsewhere.iterdir()] == ["7.pid"]
