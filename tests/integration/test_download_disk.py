"""Downloads onto disks that are full."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from integration import download_into_tmpfs
from integration.processes import ROOT
from integration.upstreams.file_server import FileServer

LARGE = bytes(50_000_000)
TMPFS = 40 * 2**20


def may_mount() -> bool:
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return sys.platform == "linux" and subprocess.run(command, check=False).returncode == 0


async def in_namespace(*arguments: str) -> str:
    """What a script says that may mount file systems of its own."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "-rm", sys.executable, *arguments),
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


@pytest.mark.skipif(not may_mount(), reason="a small disk cannot be mounted here")
async def test_a_small_disk(tmp_path: Path) -> None:
    async with FileServer().running() as server:
        server.put("/known", LARGE)
        server.put("/unknown", LARGE, chunked=True)
        script = download_into_tmpfs.__file__
        refused, full, done = json.loads(await in_namespace(script, str(tmp_path), server.address))
    assert (refused["reason"], full["reason"]) == ("DISK_FULL", "DISK_FULL")
    assert f"{len(LARGE) + 32 * 2**20} bytes are needed" in refused["message"]
    free = re.search(r"(\d+) are free", refused["message"])
    assert free is not None
    assert TMPFS - 2**16 < int(free[1]) <= TMPFS
    assert str(tmp_path) in refused["message"]
    assert refused["files"] == {}
    kept = full["files"]["unknown.part"]
    assert set(full["files"]) == {"unknown.part", "unknown.part.json"}
    assert 0 < kept <= TMPFS
    assert server.ranges[-1] == f"bytes={kept}-"
    assert done == {"files": {"unknown": len(LARGE)}}
