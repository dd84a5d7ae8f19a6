"""Several routers of one process share the package's logger."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from llm_runner_router.config.tree import LoggingConfig, LogLevel
from llm_runner_router.log import Log, wishes_of

LOGGER = logging.getLogger("llm_runner_router")


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """Without what routers of other tests have set."""
    filters, level = LOGGER.filters[:], LOGGER.level
    LOGGER.filters.clear()
    LOGGER.setLevel(logging.NOTSET)
    yield
    LOGGER.filters[:] = filters
    LOGGER.setLevel(level)


def log(level: LogLevel) -> Log:
    return Log(LoggingConfig(level=level))


@pytest.mark.parametrize("first_leaves", [True, False])
def test_the_logger_is_as_before_in_whatever_order_they_leave(*, first_leaves: bool) -> None:
    LOGGER.setLevel(logging.CRITICAL)
    info, debug = log(LogLevel.INFO), log(LogLevel.DEBUG)
    assert LOGGER.level == logging.DEBUG
    leaving, staying = (info, debug) if first_leaves else (debug, info)
    leaving.close()
    assert LOGGER.level == (logging.DEBUG if first_leaves else logging.INFO)
    staying.close()
    assert LOGGER.level == logging.CRITICAL
    assert wishes_of(LOGGER) == []


def test_who_wants_to_hear_most_is_heeded() -> None:
    error, warn = log(LogLevel.ERROR), log(LogLevel.WARN)
    assert LOGGER.level == logging.WARNING
    error.set_level(LogLevel.DEBUG)
    assert LOGGER.level == logging.DEBUG
    error.set_level(LogLevel.ERROR)
    assert LOGGER.level == logging.WARNING
    warn.close()
    assert LOGGER.level == logging.ERROR
    error.close()
    assert LOGGER.level == logging.NOTSET


def test_warnings_still_reach_programs_that_set_nothing_up() -> None:
    held = log(LogLevel.INFO)
    assert not LOGGER.handlers  # else Python would take them for told
    held.close()
