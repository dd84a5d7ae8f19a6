"""What is not accepted of servers, and what they are never told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from integration.downloads import CONTENT, DIGEST, Pauses, impatient_downloader, names
from integration.upstreams.faults import status
from integration.upstreams.file_server import FileServer, header
from llm_runner_router.errors import OverloadedError, RouterError, SourceError, UnavailableError
from llm_runner_router.registry.sources.gguf_magic import check_gguf
from llm_runner_router.registry.sources.web.download import Downloader

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FileServer]:
    async with FileServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def downloader() -> AsyncIterator[Downloader]:
    async with impatient_downloader(Pauses()) as downloader:
        yield downloader


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 418, 501])
async def test_a_refusal_is_final(
    server: FileServer, downloader: Downloader, tmp_path: Path, code: int
) -> None:
    server.inject(status(code))
    with pytest.raises(SourceError, match=rf"m 1\.gguf of 127\.0\.0\.1: .*status {code}") as caught:
        await downloader.fetch(server.address + "/d/m%201.gguf?key=hush", tmp_path / "39720c-f")
    assert "hush" not in str(caught.value)
    assert "39720c" not in str(caught.value)
    assert len(server.seen) == 1
    assert names(tmp_path) == []


async def test_a_wrong_digest(server: FileServer, downloader: Downloader, tmp_path: Path) -> None:
    wrong = "0" * 64
    with pytest.raises(SourceError, match=f"{DIGEST}, {wrong} was expected"):
        await downloader.fetch(server.put("/f", CONTENT), tmp_path / "f", sha256=wrong)
    assert names(tmp_path) == []


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, len(CONTENT) - 1, len(CONTENT) + 1])
async def test_another_size_than_was_said(
    server: FileServer, downloader: Downloader, tmp_path: Path, size: int, chunked: bool
) -> None:
    url = server.put("/f", CONTENT, chunked=chunked)
    with pytest.raises(SourceError, match=f"{size} (bytes|were expected)"):
        await downloader.fetch(url, tmp_path / "f", size=size)
    assert names(tmp_path) == []


async def test_a_length_that_only_the_end_tells(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    await downloader.fetch(server.put("/f", CONTENT, chunked=True), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (b"Content-Length: 9999999999999999999\r\n", OverloadedError),
        (b"Content-Length: 99999999999999999999999999\r\n", RouterError),
        (b"Content-Length: -1\r\n", UnavailableError),
        (b"Content-Length: 4\r\nContent-Length: 5\r\n", UnavailableError),
        (b"Content-Length: many\r\n", UnavailableError),
        (b"", SourceError),
        (b"Content-Encoding: gzip\r\nContent-Length: 4\r\n", SourceError),
        (b"Content-Length: 9\r\n", UnavailableError),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", UnavailableError),
        (b"X: " + b"x" * 100_000, UnavailableError),
    ],
)
async def test_hostile_heads(
    server: FileServer, downloader: Downloader, tmp_path: Path, head: bytes, error: type[Exception]
) -> None:
    server.raw["/f"] = HEAD + head + b"\r\nGGUF"
    with pytest.raises(error):
        await downloader.fetch(server.address + "/f", tmp_path / "f")
    assert names(tmp_path) == []


async def test_what_is_no_http(server: FileServer, downloader: Downloader, tmp_path: Path) -> None:
    server.raw["/f"] = b"220 mail.example ESMTP\r\n"
    with pytest.raises(UnavailableError):
        await downloader.fetch(server.address + "/f", tmp_path / "f")


async def test_a_page_is_no_model(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    url = server.put("/f", b"<html>Please log in</html>")
    with pytest.raises(SourceError, match=r"no GGUF file.*log in"):
        await downloader.fetch(url, tmp_path / "f", check=check_gguf)
    assert names(tmp_path) == []


async def test_redirects_are_followed_without_keys(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    async with FileServer().running() as other:
        server.redirects = {"/a": "b?x=1", "/b": other.put("/f", CONTENT)}
        headers = {"authorization": "Bearer hush", "X-Other": "1"}
        url = server.address + "/a"
        await downloader.fetch(url, tmp_path / "f", headers=headers, sha256=DIGEST)
        assert [seen.path for seen in server.seen] == ["/a", "/b?x=1"]
        assert {header(seen, "Authorization") for seen in server.seen} == {"Bearer hush"}
        assert header(other.seen[0], "Authorization") is None
        assert header(other.seen[0], "X-Other") == "1"


async def test_a_key_does_not_come_back_either(
    server: FileServer, downloader: Downloader, tmp_path: Path
) -> None:
    async with FileServer().running() as other:
        server.redirects["/a"] = other.address + "/b"
        other.redirects["/b"] = server.put("/f", CONTENT)
        headers = {"Authorization": "Bearer hush"}
        await downloader.fetch(server.address + "/a", tmp_path / "f", headers=headers)
    assert [header(seen, "Authorization") for seen in server.seen] == ["Bearer hush", None]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("/a", "more than 10 times"),
        ("http://h.invalid/f", "http:// at h.invalid"),
        ("file:///etc/passwd", "no address"),
        ("http://[::1/", "no address"),
        ("", "no address"),
    ],
)
async def test_redirects_that_are_not_followed(
    server: FileServer, downloader: Downloader, tmp_path: Path, location: str, why: str
) -> None:
    server.raw["/a"] = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()
    with pytest.raises(SourceError, match=why):
        await downloader.fetch(server.address + "/a", tmp_path / "f")
    assert len(server.seen) == (11 if location == "/a" else 1)


@pytest.mark.parametrize("how", [{}, {"etag": None}])
async def test_a_folder_that_cannot_be_written(
    server: FileServer, downloader: Downloader, tmp_path: Path, how: dict[str, Any]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be used"):
        await downloader.fetch(server.put("/f", CONTENT, **how), tmp_path / "file" / "f")
    (tmp_path / "f.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnavailableError, match="cannot be used"):
        await downloader.fetch(server.put("/f", CONTENT, **how), tmp_path / "f")
    assert not (tmp_path / "elsewhere").exists()
