"""What the configuration says about logging, applied to the package's logger."""

from __future__ import annotations

import logging
from logging.handlers import WatchedFileHandler
from pathlib import Path

from llm_runner_router.config.tree import LoggingConfig, LogLevel
from llm_runner_router.errors import InvalidConfigError

LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.WARN: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
}
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Wish(logging.Filter):
    """Stands in the logger, and lets everything pass, while a router runs that has set a level.

    ``before`` is the level that the logger had before the first of them.
    """

    def __init__(self, level: int, before: int) -> None:
        super().__init__()
        self.level = level
        self.before = before


class Log:
    """The package's logger while a router runs: its level, and its file where one is set.

    Of several routers the one that wants to hear most is heeded.
    """

    def __init__(self, config: LoggingConfig) -> None:
        self._logger = logging.getLogger("llm_runner_router")
        self._handler = open_file(config.file) if config.file is not None else None
        others = wishes_of(self._logger)
        before = others[0].before if others else self._logger.level
        self._wish = Wish(LEVELS[config.level], before)
        if self._handler is not None:
            self._logger.addHandler(self._handler)
        self._logger.addFilter(self._wish)
        self._heed()

    def set_level(self, level: LogLevel) -> None:
        """Log what is at least this important."""
        self._wish.level = LEVELS[level]
        self._heed()

    def close(self) -> None:
        """Leave the logger as it was without this router. Called once."""
        self._logger.removeFilter(self._wish)
        self._heed()
        if self._handler is not None:
            self._logger.removeHandler(self._handler)
            self._handler.close()

    def _heed(self) -> None:
        levels = [wish.level for wish in wishes_of(self._logger)]
        self._logger.setLevel(min(levels, default=self._wish.before))


def wishes_of(logger: logging.Logger) -> list[Wish]:
    """Those of the routers that run, the first one first."""
    return [found for found in logger.filters if isinstance(found, Wish)]


def open_file(name: str) -> logging.Handler:
    """A handler that adds to the file, and opens it anew when it is rotated away."""
    try:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        handler = WatchedFileHandler(name, encoding="utf-8")
    except (OSError, ValueError) as error:
        allowed = f"a path that can be written ({error})"
        raise InvalidConfigError("logging.file", name, allowed) from None
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler
