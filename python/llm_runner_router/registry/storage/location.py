"""Where a registry is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from llm_runner_router.errors import InvalidConfigError

EMPTY = ""
"""The revision of a database with nothing in it."""

UNKNOWN = "unknown"
"""The revision of a database that is no registry."""


class Location(ABC):
    """A database that may hold a registry. Between ``acquire`` and ``release`` it is ours."""

    shared: bool
    """Whether other processes may change the registry meanwhile."""

    failures: tuple[type[Exception], ...]
    """What is raised by a database that cannot be reached, read or written."""

    @abstractmethod
    async def acquire(self) -> None:
        """Take what only one service may have. InvalidConfigError where that is impossible."""

    @abstractmethod
    def engine(self) -> AsyncEngine:
        """What connects to it, with one connection at most."""

    @abstractmethod
    async def claim(self, connection: AsyncConnection) -> None:
        """Be the only one to change the registry until the transaction ends."""

    @abstractmethod
    async def announce(self, connection: AsyncConnection, sequence: int) -> None:
        """Tell other processes of a change once the transaction is committed."""

    @abstractmethod
    async def listen(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` at once, and whenever another process has or may have changed something.

        Returns or raises one of ``failures`` when it cannot listen any longer.
        """

    @abstractmethod
    async def former_revision(self, connection: AsyncConnection) -> str:
        """The revision of a registry of the time before revisions; EMPTY or UNKNOWN for others."""

    @abstractmethod
    async def fence(self, connection: AsyncConnection) -> None:
        """Keep services of the time before revisions off."""

    @abstractmethod
    def unusable(self, allowed: str) -> InvalidConfigError:
        """The error of a place that cannot be used; it shows no secret."""

    @abstractmethod
    def release(self) -> None:
        """Give back what ``acquire`` took. Called once."""
