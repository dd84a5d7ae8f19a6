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


class Log:
    """The package's logger while a router runs: its level, and its file where one is set."""

    def __init__(self, config: LoggingConfig) -> None:
        self._logger = logging.getLogger("llm_runner_router")
        self._handler = open_file(config.file) if config.file is not None else None
        self._level_before = self._logger.level
        if self._handler is not None:
            self._logger.addHandler(self._handler)
        self.set_level(config.level)

    def set_level(self, level: LogLevel) -> None:
        """Log what is at least this important."""
        self._logger.setLevel(LEVELS[level])

    def close(self) -> None:
        """Leave the logger as it was. Called once."""
        self._logger.setLevel(self._level_before)
        if self._handler is not None:
            self._logger.removeHandler(self._handler)
            self._handler.close()


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
