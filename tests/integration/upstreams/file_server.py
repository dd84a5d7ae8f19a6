"""A web server of files on loopback: ranges, validators, redirects, and cuts at any byte."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from integration.upstreams.faults import Fault, FaultKind
from integration.upstreams.server import Seen, UpstreamServer, tear_down

RANGE = re.compile(r"bytes=(\d+)-(\d*)")
CLOSE_BY_RESET = struct.pack("ii", 1, 0)


@dataclass
class ServedFile:
    """A file and how it is served. ``told_of_ranges`` replaces headers of a part of it.

    With them the server heeds no If-Range.
    """

    content: bytes
    etag: str | None = '"v1"'
    modified: str | None = None
    ranges: bool = True
    chunked: bool = False
    told_of_ranges: Mapping[str, str] = field(default_factory=dict)


class FileServer(UpstreamServer):
    """``after`` of a fault counts bytes. ``raw`` are answers that no HTTP library would write."""

    def __init__(self, faults: Iterable[Fault] = (), *, piece: int = 2**18) -> None:
        super().__init__(faults)
        self.files: dict[str, ServedFile] = {}
        self.redirects: dict[str, str] = {}
        self.raw: dict[str, bytes] = {}
        self.piece = piece
        self.resets = False

    def put(self, path: str, content: bytes, **how: Any) -> str:
        """Serve a file; its URL."""
        self.files[path] = ServedFile(content, **how)
        return self.address + path

    @property
    def ranges(self) -> list[str | None]:
        """The ranges that were asked for, request by request."""
        return [header(seen, "Range") for seen in self.seen]

    async def handle(self, request: web.Request, _body: Any, fault: Fault) -> web.StreamResponse:
        if request.path in self.redirects:
            raise web.HTTPFound(self.redirects[request.path])
        if request.path in self.raw:
            assert request.transport is not None
            request.transport.write(self.raw[request.path])
            request.transport.close()
            await asyncio.Event().wait()
        file = self.files.get(request.path)
        if file is None:
            raise web.HTTPNotFound
        part = asked(request, file)
        if part is not None and part.start >= len(file.content):
            raise web.HTTPRequestRangeNotSatisfiable
        response = web.StreamResponse(status=200 if part is None else 206)
        content = file.content if part is None else file.content[part.start : part.stop]
        self._head(response, file, part, len(content))
        await response.prepare(request)
        self._change(streaming=1)
        try:
            await self._send(request, response, content, fault)
        except (asyncio.CancelledError, ConnectionError):
            self.left += 1
            raise
        finally:
            self._change(streaming=-1)
        return response

    def _head(
        self, response: web.StreamResponse, file: ServedFile, part: range | None, length: int
    ) -> None:
        if file.etag is not None:
            response.headers["ETag"] = file.etag
        if file.modified is not None:
            response.headers["Last-Modified"] = file.modified
        if part is not None:
            last = part.start + length - 1
            response.headers["Content-Range"] = f"bytes {part.start}-{last}/{len(file.content)}"
            response.headers.update(file.told_of_ranges)
        if file.chunked:
            response.enable_chunked_encoding()
        else:
            response.content_length = length

    async def _send(
        self, request: web.Request, response: web.StreamResponse, content: bytes, fault: Fault
    ) -> None:
        breaks = fault.kind not in (FaultKind.NONE, FaultKind.DRIP)
        end = min(fault.after, len(content)) if breaks else len(content)
        for start in range(0, end, self.piece):
            if fault.gate is not None:
                await fault.gate.acquire()
            await response.write(content[start : min(start + self.piece, end)])
            self.served.completion_tokens += 1
            self._changed.set()
        if breaks and self.resets and fault.kind is FaultKind.CUT:
            reset_by(request)
        elif breaks:
            await self._break(request, response, fault)
        else:
            await response.write_eof()
            self.served.completed += 1


def asked(request: web.Request, file: ServedFile) -> range | None:
    """The bytes that are wanted; ``None``: all of them."""
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    if not file.ranges or found is None:
        return None
    condition = request.headers.get("If-Range")
    heeded = condition in (None, file.etag, file.modified) or bool(file.told_of_ranges)
    last = int(found[2]) if found[2] else len(file.content) - 1
    return range(int(found[1]), last + 1) if heeded else None


def reset_by(request: web.Request) -> None:
    """End the connection so that the other side loses even what it has not yet read."""
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CLOSE_BY_RESET)
    tear_down(request)


def header(seen: Seen, name: str) -> str | None:
    """A header of a request, whatever the case of its name."""
    return next((value for key, value in seen.headers.items() if key.lower() == name.lower()), None)
