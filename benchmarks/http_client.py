"""The least that an HTTP client can do: keep-alive connections, one request at a time on each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

END_OF_HEAD = b"\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked"
CONTENT = b'"content"'


@dataclass(frozen=True)
class Connection:
    """An open connection. It ends with its reader's limit: answers here are small."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class HttpClient:
    """Posts JSON to one path of a server on loopback and keeps its connections."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._port = port
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += ["Content-Type: application/json", "Content-Length: "]
        self._head = "\r\n".join(lines).encode()
        self._idle: list[Connection] = []

    async def post(self, body: bytes) -> bytes:
        """The body of the answer; RuntimeError where the status is not 200."""
        connection = await self._sent(body)
        answer = b"".join([part async for part in body_parts(connection.reader)])
        self._idle.append(connection)
        return answer

    async def first_content_seconds(self, body: bytes) -> float:
        """From the request to the first piece of a streamed answer's content; reads the rest."""
        begin = time.perf_counter()
        connection = await self._sent(body)
        seconds, seen = 0.0, b""
        async for part in body_parts(connection.reader):
            if not seconds:
                seen += part
                seconds = time.perf_counter() - begin if CONTENT in seen else 0.0
        self._idle.append(connection)
        if not seconds:
            raise RuntimeError(f"a stream without content: {seen[:200]!r}")
        return seconds

    async def _sent(self, body: bytes) -> Connection:
        connection = self._idle.pop() if self._idle else None
        if connection is None or connection.reader.at_eof():  # servers end idle connections
            connection = Connection(*await asyncio.open_connection("127.0.0.1", self._port))
        connection.writer.write(b"%s%d%s%s" % (self._head, len(body), END_OF_HEAD, body))
        return connection

    def close(self) -> None:
        """End all connections."""
        for connection in self._idle:
            connection.writer.close()
        self._idle.clear()


async def body_parts(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The body as it comes."""
    head = (await reader.readuntil(END_OF_HEAD)).lower()
    if CHUNKED in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    else:
        yield await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    if b" 200 " not in head[:16]:
        raise RuntimeError(f"the answer is {head[:80]!r}")
