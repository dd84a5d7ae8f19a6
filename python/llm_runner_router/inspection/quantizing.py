"""Smaller files of large ones, through the core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.errors import InvalidRequestError, RouterError
from llm_runner_router.errors import OverloadedError
from llm_runner_router.providers.core_errors import load_error


@dataclass(frozen=True, slots=True)
class Quantization:
    """What becomes of which file."""

    source: Path
    target: Path
    type: str
    """A name such as ``Q4_K_M``; the core's error names them all."""
    threads: int = 0
    """0: as many as the process may use."""
    replace: bool = False
    """Whether a file that is at ``target`` may be replaced."""


def quantize(work: Quantization, on_progress: Callable[[str, float], None]) -> None:
    """Write ``work.target``, whole or not at all; blocks until it is done.

    ``on_progress`` is told the tensor that is worked on and the fraction that is written; what it
    raises, such as KeyboardInterrupt, ends the work and goes on to the caller. Raises RouterError.
    """

    def report(tensor: str, fraction: float) -> bool:
        on_progress(tensor, fraction)
        return True

    try:
        _core.quantize(
            work.source, work.target, work.type, report, work.threads, replace=work.replace
        )
    except _core.CoreError as error:
        raise quantize_error(error.code, error.reason, error.message) from None


def quantize_error(code: str, reason: str, message: str) -> RouterError:
    """Why a file could not be written."""
    return load_error(code, reason, message)
