"""Models of web servers, pulled."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.downloads import CONTENT, Pauses, impatient_downloader
from integration.upstreams.file_server import FileServer
from llm_runner_router.errors import (
    InvalidRequestError,
    OverloadedError,
    SourceError,
    UnavailableError,
)
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.web.fetcher import HttpsFetcher

MODEL = b"GGUF" + CONTENT
SHARDS = [f"m-0000{index}-of-00003.gguf" for index in (1, 2, 3)]


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def pulls(tmp_path: Path) -> AsyncIterator[Pulls]:
    async with impatient_downloader(Pauses()) as downloader:
        pulls = Pulls({"https": HttpsFetcher(downloader, tmp_path)}, tmp_path)
        yield pulls
        await pulls.close()


def lying(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_model_is_pulled_once(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    url = server.put("/models/my model.gguf", MODEL).replace(" ", "%20")
    assert pulls.find(url) is None
    told: list[PullProgress] = []
    pulled = await pulls.pull(url, told.append)
    assert pulled.path.read_bytes() == MODEL
    assert pulled.path.parent == tmp_path / "https" / f"127.0.0.1_{server.port}"
    assert pulled.path.name.endswith("-my_model.gguf")
    assert told[-1] == PullProgress("done", "my model.gguf", len(MODEL), len(MODEL), 0.0, 0.0)
    await server.refuse()
    assert pulls.find(url) == await pulls.pull(url) == pulled
    assert len(server.seen) == 1


async def test_a_digest_in_the_address(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    url = server.put("/m.gguf", MODEL)
    right, wrong = hashlib.sha256(MODEL).hexdigest(), "0" * 64
    assert (await pulls.pull(f"{url}#sha256={right}")).path.read_bytes() == MODEL
    before = lying(tmp_path)
    with pytest.raises(SourceError, match=f"its sha256 is {right}, {wrong} was expected"):
        await pulls.pull(f"{url}#sha256={wrong}")
    assert lying(tmp_path) == before
    assert pulls.find(f"{url}#sha256={wrong}") is None


async def test_tokens_show_nowhere(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    url = server.put("/m.gguf", MODEL) + "?token=hush%2B1"
    told: list[PullProgress] = []
    await pulls.pull(url, told.append)
    assert server.seen[0].path == "/m.gguf?token=hush%2B1"
    assert "hush" not in "".join(lying(tmp_path)) + repr(told)
    missing = server.address + "/missing.gguf?token=hush"
    with pytest.raises(SourceError, match="404") as caught:
        await pulls.pull(missing)
    assert "hush" not in str(caught.value)
    assert "/missing.gguf" in str(caught.value)


async def test_a_sharded_set_comes_whole(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    contents = [MODEL[: 1000 * size] for size in (1, 2, 3)]
    for name, content in zip(SHARDS, contents, strict=True):
        server.put(f"/{name}", content)
    url = f"{server.address}/{SHARDS[0]}?key=1"
    told: list[PullProgress] = []
    pulled = await pulls.pull(url, told.append)
    mark = pulled.path.name.removesuffix(SHARDS[0])
    siblings = [pulled.path.with_name(mark + name) for name in SHARDS]
    assert [path.read_bytes() for path in siblings] == contents
    assert {progress.total_bytes for progress in told[1:]} == {6000}
    assert told[-1].done_bytes == 6000
    assert len(lying(tmp_path)) == 3
    assert {seen.path for seen in server.seen} == {f"/{name}?key=1" for name in SHARDS}
    assert pulls.find(url) == pulled
    siblings[1].unlink()
    assert pulls.find(url) is None
    server.seen.clear()
    await pulls.pull(url)
    assert {seen.path for seen in server.seen} == {f"/{SHARDS[1]}?key=1"}


async def test_a_set_that_is_not_whole_is_refused_first(
    server: FileServer, pulls: Pulls, tmp_path: Path
) -> None:
    for name in SHARDS[:2]:
        server.put(f"/{name}", MODEL)
    with pytest.raises(SourceError, match=rf"{SHARDS[2]} of 127.0.0.1: .*404"):
        await pulls.pull(f"{server.address}/{SHARDS[0]}")
    assert lying(tmp_path) == []
    assert server.ranges == ["bytes=0-0"] * 3


async def test_a_set_of_unknown_size(server: FileServer, pulls: Pulls) -> None:
    for name in SHARDS:
        server.put(f"/{name}", MODEL[:1000], chunked=True, ranges=False)
    told: list[PullProgress] = []
    await pulls.pull(f"{server.address}/{SHARDS[0]}", told.append)
    assert {progress.total_bytes for progress in told[:-1]} == {0}
    assert told[-1] == PullProgress("done", SHARDS[2], 3000, 3000, 0.0, 0.0)


async def test_a_set_without_room(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {2**61}\r\n\r\n"
    for name in SHARDS:
        server.raw[f"/{name}"] = head.encode()
    with pytest.raises(OverloadedError, match=str(3 * 2**61)[:6]) as caught:
        await pulls.pull(f"{server.address}/{SHARDS[0]}")
    assert caught.value.reason == "DISK_FULL"
    assert lying(tmp_path) == []


async def test_a_digest_of_a_set_is_refused(pulls: Pulls) -> None:
    with pytest.raises(InvalidRequestError, match="single file"):
        await pulls.pull(f"https://h.invalid/{SHARDS[0]}#sha256={'0' * 64}")


async def test_a_page_to_log_in(server: FileServer, pulls: Pulls, tmp_path: Path) -> None:
    url = server.put("/m.gguf", b"<!doctype html>")
    with pytest.raises(SourceError, match="no GGUF file"):
        await pulls.pull(url)
    assert lying(tmp_path) == []


async def test_a_server_that_is_away(server: FileServer, pulls: Pulls) -> None:
    url = server.put("/m.gguf", MODEL)
    await server.refuse()
    with pytest.raises(UnavailableError, match=r"/m\.gguf'?: the connection failed"):
        await pulls.pull(url)
