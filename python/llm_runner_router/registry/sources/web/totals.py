"""How far several downloads have come together."""

from __future__ import annotations

from dataclasses import replace

from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.fetcher import ProgressListener


class Totals:
    """Tells ``on_progress`` the bytes of all files, which are downloaded one after another.

    ``total`` is the size of all, 0 where nobody knows. Then it is told once the last has begun, and
    nothing is said of the time until the end before.
    """

    def __init__(self, on_progress: ProgressListener, *, files: int = 1, total: int = 0) -> None:
        self._on_progress = on_progress
        self._left = files
        self._total = total
        self._before = 0

    def of_next(self, name: str) -> ProgressListener:
        """What the download of the next file, which people know as ``name``, tells."""
        self._left -= 1

        def listener(progress: PullProgress) -> None:
            self._on_progress(self._together(progress, name))

        return listener

    def add(self, size: int) -> None:
        """A file of ``size`` bytes is there, however it came."""
        self._before += size

    def _together(self, progress: PullProgress, name: str) -> PullProgress:
        done, total, remaining = self._before + progress.done_bytes, self._total, None
        if total == 0 and self._left == 0 and progress.total_bytes > 0:
            total = self._before + progress.total_bytes
        if total > 0 and progress.bytes_per_second > 0.0:
            remaining = max(total - done, 0) / progress.bytes_per_second
        return replace(
            progress, file=name, done_bytes=done, total_bytes=total, remaining_seconds=remaining
        )
