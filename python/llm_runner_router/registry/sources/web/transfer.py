"""One file on its way: attempt after attempt until all of it has come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from llm_runner_router.errors import OverloadedError, RouterError, SourceError, UnavailableError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.disk import check_room, disk_errors
from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.offer import Broken, Offer, Outdated, read_offer
from llm_runner_router.registry.sources.web.partial import Origin, Part
from llm_runner_router.registry.sources.web.rate import Rate
from llm_runner_router.registry.sources.web.request import Sessions, opened
from llm_runner_router.registry.sources.web.retries import Retries
from llm_runner_router.registry.sources.web.stream import Block, Blocks
from llm_runner_router.registry.sources.web.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Times:
    """How long a server may be silent, in seconds, what tells the time and what waits."""

    silence: float
    clock: Callable[[], float]
    pause: Callable[[float], Awaitable[None]]


class Transfer:
    """Fills ``part`` with what is ``wanted``. Leaves it as it is where something can go on later.

    Errors are those of ``Downloader.fetch``; content that is not what was wanted is discarded.
    """

    def __init__(
        self,
        wanted: Wanted,
        part: Part,
        on_progress: Callable[[PullProgress], None],
        times: Times,
    ) -> None:
        self._wanted = wanted
        self._part = part
        self._on_progress = on_progress
        self._times = times
        self._rate = Rate(times.clock, part.length)

    async def verify_beginning(self) -> None:
        """Read what an earlier download has left, for the digest of the whole."""
        reading = self._part.rehash()
        while (done := await in_thread(next, reading, None)) is not None:
            self._report("verifying", done)
        self._rate = Rate(self._times.clock, self._part.length)

    async def run(self, sessions: Sessions) -> None:
        """Ask for what is missing until nothing is."""
        retries = Retries(self._part.length)
        while not self._complete:
            broken = await self._attempt(sessions())
            if broken is None:
                return
            if isinstance(broken, Outdated):
                await in_thread(self._part.begin, Origin(self._wanted.identity))
            pause = retries.pause(self._part.length, broken.wish)
            if pause is None:
                raise UnavailableError(f"{broken.why}; {self._part.length} bytes have come")
            await self._times.pause(pause)

    async def finish(self) -> None:
        """Verify the whole and give it its name."""
        digest, wanted = self._part.digest(), self._wanted.sha256
        if wanted is not None and digest != wanted:
            raise await self._rejected(f"its sha256 is {digest}, {wanted} was expected")
        if self._wanted.check is not None:
            try:
                await in_thread(self._wanted.check, self._part.path)
            except RouterError:
                await in_thread(self._part.discard)
                raise
        await in_thread(self._part.finish)

    @property
    def _size(self) -> int | None:
        """Of the whole file, as far as anybody has said."""
        return self._part.origin.size if self._wanted.size is None else self._wanted.size

    @property
    def _complete(self) -> bool:
        """Whether an earlier download has left all of it."""
        return self._part.length > 0 and self._part.length == self._size

    async def _attempt(self, session: aiohttp.ClientSession) -> Broken | None:
        """Ask once for the rest; what has kept it from coming, if another time may be better."""
        try:
            await self._ask(session, self._part.length)
        except Broken as broken:
            return broken
        except aiohttp.ClientSSLError as error:
            raise SourceError(f"no trusted connection is possible ({named(error)})") from None
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            return Broken(f"the connection failed ({named(error)})")
        return None

    async def _ask(self, session: aiohttp.ClientSession, asked: int) -> None:
        """One request for the bytes from ``asked`` on."""
        headers, silence = self._headers(asked), self._times.silence
        async with opened(session, self._wanted.url, headers, silence) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            offer = read_offer(response.status, told, asked)
            blocks = Blocks(response.content, self._times.clock)
            try:
                await self._agree(offer)
                await self._receive(blocks)
            finally:
                await blocks.close()
            await self._check_end(offer)

    def _headers(self, asked: int) -> dict[str, str]:
        """Those of the caller, and what is wanted of the file if not all of it."""
        headers = dict(self._wanted.headers)
        if asked > 0:
            headers["Range"] = f"bytes={asked}-"
            if self._part.origin.validator:
                headers["If-Range"] = self._part.origin.validator
        return headers

    async def _agree(self, offer: Offer) -> None:
        """Go on behind what is here, or begin anew where the server does."""
        wanted, origin = self._wanted.size, self._part.origin
        if offer.total is not None and wanted not in (None, offer.total):
            raise await self._rejected(f"it has {offer.total} bytes, {wanted} were expected")
        if offer.start == 0:
            size = offer.total if wanted is None else wanted
            new = Origin(self._wanted.identity, offer.etag, offer.last_modified, size)
            await in_thread(self._part.begin, new)
            self._rate.add(0)
        elif differs(origin, offer) or (self._size is None and offer.total is None):
            raise Outdated("the file has changed")
        missing = (self._size or 0) - self._part.length
        await in_thread(check_room, self._part.path.parent, max(missing, 0))

    async def _receive(self, blocks: Blocks) -> None:
        """Write all that comes, while the next block does."""
        self._report("downloading", self._part.length)
        last = False
        while not last:
            block = await blocks.next()
            last = block.last
            if self._size is not None and self._part.length + block.size > self._size:
                raise await self._rejected(f"it has more than {self._size} bytes")
            await self._store(block)
            self._report("downloading", self._part.length)
            if block.failure is not None:
                raise block.failure

    async def _store(self, block: Block) -> None:
        """Write a block where there is room for the rest: others write on the same disk.

        A file whose size nobody tells may have no end: without room, nothing of it is left.
        """
        folder, size = self._part.path.parent, self._size
        missing = block.size if size is None else size - self._part.length

        def store() -> None:
            check_room(folder, missing)
            self._part.append(block.pieces)

        try:
            with disk_errors(folder, missing):
                await in_thread(store)
        except OverloadedError:
            if size is None:
                await in_thread(self._part.discard)
            raise

    async def _check_end(self, offer: Offer) -> None:
        """The answer has ended as it should; is that the end of the file?"""
        length, size = self._part.length, self._size
        if size is None or length == size:
            return
        if offer.total is not None:
            raise Broken(f"the server sent {length} of {offer.total} bytes")
        raise await self._rejected(f"it has {length} bytes, {size} were expected")

    async def _rejected(self, why: str) -> SourceError:
        """The error of content that is not what was wanted; nothing of it is left."""
        await in_thread(self._part.discard)
        return SourceError(why)

    def _report(self, phase: str, done: int) -> None:
        self._rate.add(done)
        total = self._size or 0
        name = self._part.target.name
        speed, remaining = self._rate.bytes_per_second, self._rate.remaining(total)
        self._on_progress(PullProgress(phase, name, done, total, speed, remaining))


def differs(origin: Origin, offer: Offer) -> bool:
    """Whether a server goes on with another file than it began with."""
    if origin.size is not None and offer.total not in (None, origin.size):
        return True
    return bool(origin.etag and offer.etag and origin.etag != offer.etag)


def named(error: Exception) -> str:
    """What is shown of an error of aiohttp, whose words may hold addresses."""
    return type(error).__name__
