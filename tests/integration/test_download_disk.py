"""Downloads onto disks that are full."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from integration import download_into_tmpfs
from integration.downloads import CONTENT, Pauses, impatient_downloader, names
from integration.processes import ROOT
from integration.upstreams.faults import drip
from integration.upstreams.file_server import FileServer
from llm_runner_router.errors import OverloadedError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources import disk

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
    assert full["files"] == {}
    assert server.ranges == [None] * 3
    assert done == {"files": {"unknown": len(LARGE)}}


class SmallDisk:
    """What ``shutil`` is told of a disk on which ``folder`` lies alone, beside the margin."""

    def __init__(self, folder: Path, room: int) -> None:
        self.folder = folder
        self.room = room
        self.least = room

    def disk_usage(self, _: Path) -> SimpleNamespace:
        return SimpleNamespace(free=disk.MARGIN + self.left())

    def left(self) -> int:
        """The bytes above the margin."""
        taken = sum(path.stat().st_size for path in self.folder.iterdir())
        self.least = min(self.least, self.room - taken)
        return self.room - taken


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    found = SmallDisk(tmp_path, len(CONTENT) * 3 // 2)
    monkeypatch.setattr(disk.shutil, "disk_usage", found.disk_usage)
    return found


async def test_a_file_without_an_end_leaves_room_and_nothing_else(small: SmallDisk) -> None:
    async with FileServer().running() as server, impatient_downloader(Pauses()) as downloader:
        url = server.put("/f", CONTENT * 3, chunked=True)
        with pytest.raises(OverloadedError) as caught:
            await downloader.fetch(url, small.folder / "f")
    assert caught.value.reason == "DISK_FULL"
    assert names(small.folder) == []
    assert 0 <= small.least < len(CONTENT)


async def test_of_two_files_that_fit_alone_one_comes(small: SmallDisk) -> None:
    gate, begun = asyncio.Semaphore(0), asyncio.Event()
    async with FileServer().running() as server, impatient_downloader(Pauses(), 30.0) as downloader:
        server.inject(drip(gate))
        late = asyncio.create_task(
            downloader.fetch(
                server.put("/late", CONTENT),
                small.folder / "late",
                on_progress=lambda told: begun.set() if told.phase == "downloading" else None,
            )
        )
        await begun.wait()
        await downloader.fetch(server.put("/f", CONTENT), small.folder / "f")
        for _ in CONTENT[:: server.piece]:
            gate.release()
        with pytest.raises(OverloadedError) as caught:
            await late
    assert caught.value.reason == "DISK_FULL"
    assert names(small.folder) == ["f"]
    assert small.least >= 0


async def test_a_file_whose_size_is_known_goes_on_where_there_is_room_again(
    small: SmallDisk,
) -> None:
    def filled(told: PullProgress) -> None:
        small.room = 0 if told.done_bytes > 0 else small.room

    async with FileServer().running() as server, impatient_downloader(Pauses()) as downloader:
        url = server.put("/f", CONTENT)
        with pytest.raises(OverloadedError):
            await downloader.fetch(url, small.folder / "f", on_progress=filled)
        kept = (small.folder / "f.part").stat().st_size
        assert 0 < kept < len(CONTENT)
        small.room = 2 * len(CONTENT)
        assert (await downloader.fetch(url, small.folder / "f")).read_bytes() == CONTENT
        assert server.ranges == [None, f"bytes={kept}-"]
