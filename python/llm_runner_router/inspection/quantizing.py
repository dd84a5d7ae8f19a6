"""Smaller files of large ones, through the core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.errors import OverloadedError
from llm_runner_router.inspection.model_file import core_errors

DISK_FULL = "DISK_FULL"
ROOM_RETRY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Quantization:
    """What becomes of which file."""

    source: Path
    """A file of floating-point weights, or the first of a sharded set."""
    target: Path
    type: str
    """A name such as ``Q4_K_M``; the error of another one names them all."""
    threads: int = 0
    """0: as many as the process may use."""
    replace: bool = False
    """Whether a file that is at ``target`` may be replaced."""


def source_bytes(work: Quantization) -> int:
    """Bytes of all files of the source. Raises RouterError."""
    with core_errors():
        return _core.GgufShards(work.source).nbytes


def quantize(work: Quantization, on_progress: Callable[[str, float], None]) -> None:
    """Write ``work.target``, whole or not at all; blocks until it is done.

    ``on_progress`` is told the tensor that is worked on and the fraction that is written; what it
    raises, such as KeyboardInterrupt, ends the work and goes on to the caller. Raises RouterError.
    """

    def report(tensor: str, fraction: float) -> bool:
        on_progress(tensor, fraction)
        return True

    with core_errors(), room_errors():
        _core.quantize(
            work.source, work.target, work.type, report, work.threads, replace=work.replace
        )


@contextmanager
def room_errors() -> Iterator[None]:
    """A disk without room is told apart: somebody can make some."""
    try:
        yield
    except _core.CoreError as error:
        if error.reason != DISK_FULL:
            raise
        raise OverloadedError(
            error.message, retry_after=ROOM_RETRY_SECONDS, reason=DISK_FULL
        ) from None
