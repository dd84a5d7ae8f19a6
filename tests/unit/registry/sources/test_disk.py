from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from llm_runner_router.errors import OverloadedError, UnavailableError
from llm_runner_router.registry.sources.disk import MARGIN, check_room, disk_errors


def test_room_for_all_of_it_and_the_margin(tmp_path: Path) -> None:
    check_room(tmp_path, 1)
    too_much = shutil.disk_usage(tmp_path).total - MARGIN + 1
    with pytest.raises(OverloadedError) as caught:
        check_room(tmp_path, too_much)
    assert caught.value.reason == "DISK_FULL"
    assert str(too_much + MARGIN) in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_disk_that_is_full_while_it_is_written(tmp_path: Path, number: int) -> None:
    with pytest.raises(OverloadedError) as caught, disk_errors(tmp_path):
        raise OSError(number, "full")
    assert caught.value.reason == "DISK_FULL"


def test_other_errors(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="tired") as caught, disk_errors(tmp_path):
        raise OSError(errno.EIO, "tired", "hush")
    assert "hush" not in str(caught.value)
    with pytest.raises(OverloadedError, match="unknown number"), disk_errors(tmp_path / "gone"):
        raise OSError(errno.ENOSPC, "full")
