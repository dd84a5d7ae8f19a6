"""A server whose API never fails, and whose big files do as a test wishes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from integration.upstreams.faults import NO_FAULT, Fault, FaultKind
from integration.upstreams.file_server import FileServer
from integration.upstreams.server import tear_down


class ContentServer(FileServer):
    """Faults befall what ``content`` answers. ``statuses`` are answers instead, by path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statuses: dict[str, int] = {}

    def next_fault(self) -> Fault:
        return NO_FAULT

    async def content(self, request: web.Request) -> web.StreamResponse:
        """A file that was put, as the next fault has it."""
        fault = super().next_fault()
        if fault.kind is FaultKind.STATUS:
            return web.Response(status=fault.status, headers=dict(fault.headers))
        if fault.kind is FaultKind.RESET:
            tear_down(request)
            return web.Response()
        return await super().handle(request, None, fault)
