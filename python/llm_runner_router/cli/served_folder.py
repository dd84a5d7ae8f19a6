# ruff: noqa: PLC0415 - other commands should not wait for pydantic
"""The folder that a service runs on: brought in order before, and told that it is served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llm_runner_router.server.pid_file import PidFile

if TYPE_CHECKING:
    from llm_runner_router.config.sources import LoadedConfig

logger = logging.getLogger(__name__)


def folder_of(config_file: Path | None) -> Path:
    """The folder of a configuration file that is given; the present one otherwise."""
    from llm_runner_router.config.sources import relative_paths_base

    here = Path.cwd()
    return here if config_file is None else relative_paths_base(here / config_file)


def recover_folder(config_file: Path | None) -> None:
    """Finish or clear what an interrupted migration has left there. MigrationError."""
    from llm_runner_router.migrate.recovery import Recovery, recover

    recovery = recover(folder_of(config_file))
    if recovery is not Recovery.NOTHING:
        logger.warning("%s", recovery)


class Served:
    """Says that this process serves the folder of its configuration, if there is one."""

    def __init__(self, folder: Path | None, drain_timeout: float) -> None:
        self._folder = folder
        self._drain_timeout = drain_timeout
        self._file: PidFile | None = None

    def tell(self, address: str) -> None:
        """Write the address down. A folder that cannot be written is logged, and no more."""
        if self._folder is None:
            return
        before = self._file
        try:
            self._file = PidFile.create(self._folder, address, self._drain_timeout)
        except OSError as error:
            logger.warning("no pid file in %s: %s", self._folder, error.strerror)
            return
        if before is not None:
            before.close()

    def close(self) -> None:
        """Serve it no longer."""
        if self._file is not None:
            self._file.close()


@contextmanager
def served(
    loaded: LoadedConfig, announce: Callable[[str], None]
) -> Iterator[Callable[[str], None]]:
    """While the block runs, services are told of by a pid file; yields what announces an address.

    Where there is no configuration file, no folder is served: nothing of it lies there.
    """
    settings = loaded.config.server
    folder = loaded.folder if loaded.file is not None else None
    file = Served(folder, settings.drain_timeout)
    file.tell(f"{settings.host}:{settings.port}")

    def announced(address: str) -> None:
        file.tell(address)
        announce(address)

    try:
        yield announced
    finally:
        file.close()
