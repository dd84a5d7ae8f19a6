"""A provider's HTTP server on loopback that counts what it does and fails where it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from integration.upstreams.faults import NO_FAULT, Fault, FaultKind


@dataclass
class Served:
    """What a provider would bill: each piece as it is written."""

    requests: int = 0
    completed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Piece:
    """A part of a streamed answer."""

    data: bytes
    tokens: int = 0


@dataclass(frozen=True)
class Prices:
    """US dollars a million tokens."""

    input: float = 1.0
    output: float = 2.0


@dataclass
class Seen:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any = None
    connection: object = None  # the client's address, another one for each connection


class UpstreamServer:
    """Subclasses say what they answer in ``handle``; one fault of ``faults`` is used a request."""

    malformed = b"data: {no json\n\n"
    content_type = "text/event-stream"

    def __init__(self, faults: Iterable[Fault] = (), prices: Prices | None = None) -> None:
        self.faults = deque(faults)
        self.prices = prices or Prices()
        self.words: Sequence[str] = ("one", " two", " three")
        self.served = Served()
        self.seen: list[Seen] = []
        self.streaming = 0
        self.left = 0  # clients that went away before the end
        self.port = 0
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def handle(self, request: web.Request, body: Any, fault: Fault) -> web.StreamResponse:
        """The answer to a request without the faults that come before one."""
        raise NotImplementedError

    def error_body(self, fault: Fault) -> str:
        """What the provider says with a status."""
        return fault.body or '{"error": {"message": "as you wished"}}'

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        server = self._runner.server if self._runner is not None else None
        return 0 if server is None else len(server.connections)

    @property
    def cost_usd(self) -> float:
        """What the served tokens cost."""
        served, prices = self.served, self.prices
        input_cost = served.prompt_tokens * prices.input
        return (input_cost + served.completion_tokens * prices.output) / 1e6

    def next_fault(self) -> Fault:
        """How the request that has just come is answered."""
        return self.faults.popleft() if self.faults else NO_FAULT

    def inject(self, *faults: Fault) -> None:
        self.faults.extend(faults)

    async def until(self, true: Callable[[Self], bool]) -> None:
        """Wait for what a request changes here."""
        while not true(self):
            self._changed.clear()
            await self._changed.wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        await self.listen()
        try:
            yield self
        finally:
            await self.refuse()

    async def listen(self) -> None:
        """Take connections, at the same port as before."""
        application = web.Application(client_max_size=2**28)
        application.router.add_route("*", "/{path:.*}", self._route)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def refuse(self) -> None:
        """End all connections; the next ones are refused."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def stream(
        self, request: web.Request, pieces: Iterable[Piece], fault: Fault, prompt_tokens: int
    ) -> web.StreamResponse:
        """Write ``pieces``, and go wrong as ``fault`` says."""
        response = web.StreamResponse(headers={"Content-Type": self.content_type})
        await response.prepare(request)
        self._change(streaming=1)
        try:
            whole = await self._write(request, response, pieces, fault, prompt_tokens)
        except (asyncio.CancelledError, ConnectionError):
            self.left += 1
            raise
        finally:
            self._change(streaming=-1)
        if whole:
            self.served.completed += 1
        return response

    async def _write(
        self,
        request: web.Request,
        response: web.StreamResponse,
        pieces: Iterable[Piece],
        fault: Fault,
        prompt_tokens: int,
    ) -> bool:
        """Whether the answer was whole."""
        breaks = fault.kind not in (FaultKind.NONE, FaultKind.DRIP)
        for index, piece in enumerate(pieces):
            if breaks and index == fault.after:
                break
            if fault.gate is not None:
                await fault.gate.acquire()
            await response.write(piece.data)
            self.served.prompt_tokens += prompt_tokens if index == 0 else 0
            self.served.completion_tokens += piece.tokens
            self._changed.set()
        if breaks:
            if fault.gate is not None:
                await fault.gate.acquire()
            await self._break(request, response, fault)
            return False
        await response.write_eof()
        return True

    async def _break(
        self, request: web.Request, response: web.StreamResponse, fault: Fault
    ) -> None:
        match fault.kind:
            case FaultKind.STALL:
                await asyncio.Event().wait()
            case FaultKind.MALFORMED:
                await response.write(self.malformed)
                await response.write_eof()
            case FaultKind.ENDED:
                await response.write_eof()
            case _:
                tear_down(request)

    async def _route(self, request: web.Request) -> web.StreamResponse:
        text = await request.read()
        body = await request.json() if text else None
        connection = request.get_extra_info("peername")
        self.seen.append(Seen(request.path_qs, dict(request.headers), body, connection))
        self.served.requests += 1
        self._changed.set()
        fault = self.next_fault()
        if fault.kind is FaultKind.STATUS:
            headers = {"Content-Type": "application/json", **dict(fault.headers)}
            return web.Response(text=self.error_body(fault), status=fault.status, headers=headers)
        if fault.kind is FaultKind.RESET:
            tear_down(request)
            return web.Response()
        return await self.handle(request, body, fault)

    def _change(self, *, streaming: int) -> None:
        self.streaming += streaming
        self._changed.set()


def tear_down(request: web.Request) -> None:
    """End the connection without another word."""
    if request.transport is not None:
        request.transport.abort()
