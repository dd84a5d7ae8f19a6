"""Migrations on disks that are full, that cannot be written, and on two of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from integration import migrate_on_bad_disks
from integration.processes import ROOT, TESTS
from integration.test_download_disk import may_mount


@pytest.mark.skipif(not may_mount(), reason="a small disk cannot be mounted here")
def test_bad_disks_leave_the_folder_as_it_was(tmp_path: Path) -> None:
    path = os.pathsep.join((str(TESTS), str(ROOT / "python")))
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, migrate_on_bad_disks.__file__, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    told = json.loads(done.stdout)
    assert (
        "folder is full (No space left on device); the folder is as it was" in told["full"]["error"]
    )
    assert told["full"]["same"]
    assert told["done"] == {"error": "", "same": False}
    assert "Read-only file system" in told["back"]["error"]
    assert told["back"]["same"]
    assert "cannot be written" in told["refused"]["error"]
    assert told["refused"]["same"]
    assert told["two"] == {"error": "", "same": False, "served": True, "back": True}
    assert "lie on different disks" in told["crossing"]["error"]
    assert told["crossing"]["same"]
