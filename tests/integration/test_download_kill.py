"""Downloads whose process is killed in the middle."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from integration import download_until_killed
from integration.downloads import names
from integration.processes import ROOT
from integration.upstreams.file_server import FileServer

KILLS = 50
CONTENT = random.Random(5).randbytes(12_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PIECE = 2**16
PIECES = -(-len(CONTENT) // PIECE)
LEAVINGS = {"f", "f.part", "f.part.json", "f.part.json.new", "f.lock"}


class Downloads:
    """A process that forks one download after another."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def begin(self) -> int:
        """The pid of a new download."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        return int(await self._line())

    async def end(self) -> int:
        """The status of the download, once it has ended."""
        word, status = (await self._line()).split()
        assert word == "ended"
        return int(status)

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line
        return line.decode()


@asynccontextmanager
async def downloads(url: str, target: Path) -> AsyncIterator[Downloads]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, download_until_killed.__file__, url, str(target), DIGEST),
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Downloads(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def kill_after(server: FileServer, downloads: Downloads, pieces: int) -> None:
    """Kill a download once the server has sent so much of it, or let it end."""
    server.served.completion_tokens = 0
    child = await downloads.begin()
    sent = asyncio.create_task(server.until(lambda s: s.served.completion_tokens >= pieces))
    ending = asyncio.create_task(downloads.end())
    await asyncio.wait([sent, ending], return_when=asyncio.FIRST_COMPLETED)
    if not ending.done():
        os.kill(child, signal.SIGKILL)
    sent.cancel()
    assert await ending in (0, signal.SIGKILL)


async def test_killed_downloads_leave_beginnings_or_the_whole(tmp_path: Path) -> None:
    choice = random.Random(50)
    target = tmp_path / "f"
    wholes = 0
    async with FileServer(piece=PIECE).running() as server:
        url = server.put("/f", CONTENT)
        async with downloads(url, target) as processes:
            for _ in range(KILLS):
                await kill_after(server, processes, choice.randrange(PIECES))
                assert set(names(tmp_path)) <= LEAVINGS
                if target.exists():
                    assert target.read_bytes() == CONTENT
                    target.unlink()
                    wholes += 1
            await kill_after(server, processes, 2 * PIECES)
    assert target.read_bytes() == CONTENT
    assert names(tmp_path) == ["f"]
    resumed = [text for text in server.ranges if text is not None]
    assert wholes > 0
    assert len(resumed) > KILLS // 5
