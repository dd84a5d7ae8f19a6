from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.disk_errors import disk_errors


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "the disk of .*place is full"),
        (errno.EDQUOT, "the disk of .*place is full"),
        (errno.EROFS, "a/b cannot be written"),
        (errno.EACCES, "a/b cannot be written"),
        (errno.EIO, "a/b cannot be used"),
    ],
)
def test_errors_of_the_disk(number: int, message: str) -> None:
    with pytest.raises(MigrationError, match=message) as caught, disk_errors(Path("place")):
        raise OSError(number, os.strerror(number), "a/b")
    assert os.strerror(number) in caught.value.message
    assert caught.value.message.endswith("the folder is as it was")
    assert caught.value.reason == "MIGRATION_FAILED"


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="x"), disk_errors(Path()):
        raise ValueError("x")
