"""Running a command to its exit code.

0: done. 1: the service refused or failed. 2: wrong usage or configuration. 3: no service answers,
or it is stopping: try again. 130: interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from llm_runner_router.cli.output import errors, printable
from llm_runner_router.errors import (
    InvalidConfigError,
    OverloadedError,
    RouterError,
    UnavailableError,
)

FAILED, WRONG_USAGE, TRY_AGAIN, INTERRUPTED = 1, 2, 3, 130


def run(command: Coroutine[Any, Any, None]) -> None:
    """Run a command to its exit code."""
    with reported():
        asyncio.run(command)


@contextmanager
def reported() -> Iterator[None]:
    """Turn what is raised into one clear line and an exit code."""
    try:
        yield
    except RouterError as error:
        told = printable(f"error: {error.message}")
        errors.print(told, markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(exit_code(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def exit_code(error: RouterError) -> int:
    """The exit code that an error means."""
    if isinstance(error, InvalidConfigError):
        return WRONG_USAGE
    return TRY_AGAIN if isinstance(error, UnavailableError | OverloadedError) else FAILED
