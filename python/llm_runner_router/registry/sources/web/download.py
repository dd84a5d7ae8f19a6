"""Files from the web: resumed, verified, and there wholly or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from yarl import URL

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.disk import disk_errors
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.partial import Part
from llm_runner_router.registry.sources.web.request import Sessions
from llm_runner_router.registry.sources.web.target_lock import target_lock
from llm_runner_router.registry.sources.web.told_size import told_size
from llm_runner_router.registry.sources.web.transfer import Times, Transfer
from llm_runner_router.registry.sources.web.wanted import Wanted

NO_HEADERS: Mapping[str, str] = {}


class Downloader:
    """Brings files of the web into folders of this machine. Belongs to one event loop.

    ``sessions`` gives the session of the pool, which stays its owner's. ``silence`` is how many
    seconds a server may say nothing.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        silence: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._times = Times(silence, clock, pause)

    async def fetch(  # noqa: PLR0913 - each has a default but the first two
        self,
        url: str | URL,
        target: Path,
        *,
        size: int | None = None,
        sha256: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        on_progress: ProgressListener = lambda _: None,
        check: Callable[[Path], None] | None = None,
    ) -> Path:
        """``target``, once the whole file lies there.

        A file that is there, of that size where one is said, is whole: nothing else ever gets the
        name. What has come when this fails, is cancelled or killed stays in ``<target>.part`` for
        the next time, where the server lets one go on. Two who want one target, in whatever
        processes, do it once. ``on_progress`` is called on the event loop.

        SourceError: the server lacks or refuses it, or sends something else than was said;
        UnavailableError: it cannot be reached, or breaks off again and again; OverloadedError
        (DISK_FULL): no room, which is looked at as bytes come too; nothing stays then of a file
        whose size nobody has told.
        """
        address = url if isinstance(url, URL) else URL(url, encoded=True)
        wanted = Wanted(address, size, sha256 and sha256.lower(), headers, check)
        with disk_errors(target.parent):
            await in_thread(target.parent.mkdir, parents=True, exist_ok=True)
            async with target_lock(target):
                if not await in_thread(is_whole, target, size):
                    await self._bring(wanted, target, on_progress)
        return target

    async def size(self, url: str | URL) -> int | None:
        """The bytes of a file of the web; ``None`` where its server does not tell them now.

        SourceError where the server lacks or refuses the file.
        """
        address = url if isinstance(url, URL) else URL(url, encoded=True)
        with naming(address):
            return await told_size(self._sessions(), address, self._times.silence)

    async def _bring(self, wanted: Wanted, target: Path, on_progress: ProgressListener) -> None:
        part = Part(target, wanted.identity, size=wanted.size, digest=wanted.sha256)
        try:
            with naming(wanted.url):
                await in_thread(part.open)
                transfer = Transfer(wanted, part, on_progress, self._times)
                await transfer.verify_beginning()
                await transfer.run(self._sessions)
                await transfer.finish()
        finally:
            await in_thread(part.keep)


def is_whole(target: Path, size: int | None) -> bool:
    """Whether the file is there already; blocks."""
    try:
        return target.is_file() and size in (None, target.stat().st_size)
    except FileNotFoundError:
        return False


@contextmanager
def naming(url: URL) -> Iterator[None]:
    """Say of which file and server a SourceError speaks, without the rest of the address.

    The file's name is the server's: the one that it has here is made of digests.
    """
    try:
        yield
    except SourceError as error:
        raise SourceError(f"{url.name} of {url.host}: {error.message}") from None
