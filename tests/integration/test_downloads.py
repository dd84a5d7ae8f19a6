"""Downloads from real servers that cut, change and lie."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from integration.downloads import CONTENT, DIGEST, Pauses, impatient_downloader, names
from integration.upstreams.faults import Fault, cut, drip, ended, reset, stall, status
from integration.upstreams.file_server import FileServer, header
from llm_runner_router.errors import SourceError, UnavailableError
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.web.download import Downloader


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def downloader(pauses: Pauses) -> AsyncIterator[Downloader]:
    async with impatient_downloader(pauses) as downloader:
        yield downloader


async def test_a_file_comes_whole_and_alone(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    url = server.put("/f", CONTENT)
    told: list[PullProgress] = []
    target = tmp_path / "new" / "folder" / "f"
    got = await downloader.fetch(url, target, sha256=DIGEST.upper(), on_progress=told.append)
    assert got == target
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["f"]
    assert (told[0].done_bytes, told[0].total_bytes) == (0, len(CONTENT))
    assert (told[-1].done_bytes, told[-1].total_bytes) == (len(CONTENT), len(CONTENT))
    assert told[-1].bytes_per_second > 0.0
    assert told[-1].remaining_seconds == 0.0
    assert header(server.seen[0], "Accept-Encoding") == "identity"
    assert await downloader.fetch(url, target, size=len(CONTENT)) == target
    assert len(server.seen) == 1


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("after", [0, 1, 4096, 2_097_152, 4_999_999])
async def test_a_cut_is_gone_on_behind(
    server: FileServer, downloader: Downloader, tmp_path: Path, after: int, resets: bool
) -> None:
    server.resets = resets
    server.inject(cut(after))
    url = server.put("/f", CONTENT)
    await downloader.fetch(url, tmp_path / "f", sha256=DIGEST)
    assert (tmp_path / "f").read_bytes() == CONTENT
    first, second = server.ranges
    assert first is None
    if resets:  # what was not read yet is lost
        assert second is None or int(second[6:-1]) <= after
    else:
        assert second == (f"bytes={after}-" if after else None)
        assert header(server.seen[1], "If-Range") == ('"v1"' if after else None)


@pytest.mark.parametrize(
    "fault",
    [reset(), stall(), stall(300_000), ended(300_000), status(503), status(500), cut()],
    ids=lambda fault: f"{fault.kind.name} {fault.after} {fault.status}",
)
async def test_faults_are_tried_again(
    server: FileServer, downloader: Downloader, tmp_path: Path, fault: Fault
) -> None:
    server.inject(fault, fault)
    await downloader.fetch(server.put("/f", CONTENT), tmp_path / "f", size=len(CONTENT))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert names(tmp_path) == ["f"]
    assert len(server.seen) == 3


async def test_retry_after_is_heeded(
    server: FileServer, downloader: Downloader, tmp_path: Path, pauses: Pauses
) -> None:
    server.inject(status(429, "17"), status(503, "0"))
    await downloader.fetch(server.put("/f", CONTENT), tmp_path / "f")
    assert pauses.seconds == [17.0, 1.0]
    server.inject(status(429, "4000"))
    with pytest.raises(UnavailableError, match="429"):
        await downloader.fetch(server.put("/g", CONTENT), tmp_path / "g")


async def test_many_cuts_end_while_bytes_come_and_few_where_none_do(
    server: FileServer, downloader: Downloader, tmp_path: Path, pauses: Pauses
) -> None:
    url = server.put("/f", CONTENT)
    server.inject(*[cut(300_000)] * 16)
    await downloader.fetch(url, tmp_path / "f", sha256=DIGEST)
    assert len(server.seen) == 17
    assert set(pauses.seconds) == {0.5}
    pauses.seconds.clear()
    server.inject(cut(1000), *[cut(0)] * 50)
    with pytest.raises(UnavailableError, match="1000 bytes have come"):
        await downloader.fetch(url, tmp_path / "g")
    assert pauses.seconds == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert names(tmp_path) == ["f", "g.part", "g.part.json"]


async def test_a_server_that_is_away(downloader: Downloader, tmp_path: Path) -> None:
    async with FileServer().running() as server:
        url = server.put("/f", CONTENT)
    with pytest.raises(UnavailableError, match="connection failed"):
        await downloader.fetch(url, tmp_path / "f")
    assert names(tmp_path) == []


async def left_behind(server: FileServer, downloader: Downloader, target: Path, **said: Any) -> int:
    """Break a download off for good; how many bytes of it lie there."""
    server.inject(cut(3_000_000), *[status(503)] * 5)
    with pytest.raises(UnavailableError):
        await downloader.fetch(server.address + "/f", target, **said)
    server.seen.clear()
    part = target.with_name(target.name + ".part")
    return part.stat().st_size if part.exists() else 0


async def test_another_process_goes_on(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    url = server.put("/f", CONTENT)
    assert await left_behind(server, downloader, tmp_path / "f", sha256=DIGEST) == 3_000_000
    told: list[PullProgress] = []
    async with impatient_downloader(Pauses()) as other:
        await other.fetch(url, tmp_path / "f", sha256=DIGEST, on_progress=told.append)
    assert server.ranges == ["bytes=3000000-"]
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert (told[0].phase, told[0].done_bytes) == ("verifying", 3_000_000)
    assert (told[1].phase, told[1].done_bytes) == ("downloading", 3_000_000)


async def test_the_last_byte_was_here_already(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    url = server.put("/f", CONTENT)
    await left_behind(server, downloader, tmp_path / "f", sha256=DIGEST)
    (tmp_path / "f.part").write_bytes(CONTENT)
    await downloader.fetch(url, tmp_path / "f", sha256=DIGEST)
    assert server.seen == []
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ({"etag": None}, 0),
        ({"etag": 'W/"v1"'}, 0),
        ({"etag": None, "modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, 3_000_000),
    ],
)
async def test_only_what_can_be_told_apart_is_kept(
    server: FileServer, downloader: Downloader, tmp_path: Path, how: dict[str, Any], kept: int
) -> None:
    url = server.put("/f", CONTENT, **how)
    assert await left_behind(server, downloader, tmp_path / "f") == kept
    await downloader.fetch(url, tmp_path / "f")
    assert server.ranges == [f"bytes={kept}-" if kept else None]
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
async def test_a_file_that_changes_begins_anew(
    server: FileServer, downloader: Downloader, tmp_path: Path, ranges: bool
) -> None:
    server.put("/f", CONTENT)
    await left_behind(server, downloader, tmp_path / "f")
    changed = CONTENT[::-1]
    url = server.put("/f", changed, etag='"v2"', ranges=ranges)
    await downloader.fetch(url, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == changed
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "told", [{"ETag": '"v2"'}, {"Content-Range": "bytes 3000000-4999999/9999999"}]
)
async def test_ranges_of_another_file_are_noticed(
    server: FileServer, downloader: Downloader, tmp_path: Path, told: dict[str, str]
) -> None:
    """Of a server that heeds Range, but not If-Range."""
    url = server.put("/f", CONTENT, told_of_ranges=told)
    await left_behind(server, downloader, tmp_path / "f")
    await downloader.fetch(url, tmp_path / "f")
    assert server.ranges == ["bytes=3000000-", None]
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("told", ["bytes 0-4999999/5000000", "bytes 3000000-2/5000000", "x"])
async def test_ranges_that_nobody_asked_for(
    server: FileServer, downloader: Downloader, tmp_path: Path, told: str
) -> None:
    url = server.put("/f", CONTENT, told_of_ranges={"Content-Range": told})
    await left_behind(server, downloader, tmp_path / "f")
    with pytest.raises(SourceError, match="another range"):
        await downloader.fetch(url, tmp_path / "f")


async def test_a_server_without_ranges(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    server.inject(cut(2_500_000))
    url = server.put("/f", CONTENT, ranges=False)
    await downloader.fetch(url, tmp_path / "f", sha256=DIGEST)
    assert (tmp_path / "f").read_bytes() == CONTENT


async def test_a_range_that_is_refused_begins_anew(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    server.put("/f", CONTENT)
    await left_behind(server, downloader, tmp_path / "f", sha256=DIGEST)
    state = json.loads((tmp_path / "f.part.json").read_text())
    (tmp_path / "f.part.json").write_text(json.dumps({**state, "size": None, "etag": ""}))
    (tmp_path / "f.part").write_bytes(CONTENT + b"!")
    await downloader.fetch(server.address + "/f", tmp_path / "f", sha256=DIGEST)
    assert server.ranges == [f"bytes={len(CONTENT) + 1}-", None]
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize("state", ["", "[]", "{}", "null", '{"identity": 7}', "[" * 100_000])
async def test_a_part_that_nobody_knows_is_no_beginning(
    server: FileServer, downloader: Downloader, tmp_path: Path, state: str
) -> None:
    (tmp_path / "f.part").write_bytes(b"something else")
    (tmp_path / "f.part.json").write_text(state)
    await downloader.fetch(server.put("/f", CONTENT), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


async def test_cancelling_keeps_what_has_come(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    gate = asyncio.Semaphore(10)
    server.inject(drip(gate))
    url = server.put("/f", CONTENT)
    come = asyncio.Event()

    def listen(progress: PullProgress) -> None:
        if progress.done_bytes >= 2_000_000:
            come.set()

    fetching = asyncio.create_task(downloader.fetch(url, tmp_path / "f", on_progress=listen))
    await come.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    await server.until(lambda server: server.streaming == 0)
    assert server.left == 1
    assert names(tmp_path) == ["f.part", "f.part.json"]
    kept = (tmp_path / "f.part").stat().st_size
    assert kept >= 2_000_000
    await downloader.fetch(url, tmp_path / "f", sha256=None)
    assert server.ranges == [None, f"bytes={kept}-"]
    assert (tmp_path / "f").read_bytes() == CONTENT


async def test_two_who_want_one_file_ask_once(server: FileServer, tmp_path: Path) -> None:
    gate = asyncio.Semaphore(0)
    server.inject(drip(gate))
    url = server.put("/f", CONTENT)
    pool = HttpPool()
    patient = Downloader(lambda: pool.aiohttp)
    first = asyncio.create_task(patient.fetch(url, tmp_path / "f"))
    await server.until(lambda server: server.streaming == 1)
    second = asyncio.create_task(patient.fetch(url, tmp_path / "f"))
    for _ in range(100):
        gate.release()
    assert await first == await second == tmp_path / "f"
    await pool.close()
    assert len(server.seen) == 1
    assert names(tmp_path) == ["f"]
