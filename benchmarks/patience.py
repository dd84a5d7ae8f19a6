"""Others on the machine: waiting until they leave, and how much they used all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.machine import ProcessorTime

SETTLE_SECONDS = 0.3  # a pool of threads spins for some time after its last work
QUIET = 0.1  # the share of the machine that others may use


@dataclass
class Patience:
    """How long a whole measurement may still wait for others; used up, it only settles."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep
    read: Callable[[], ProcessorTime | None] = ProcessorTime.now

    def wait(self) -> None:
        """Settle; then until others use next to nothing, as long as patience lasts."""
        while self._busy() and self.seconds > 0:
            self.seconds -= SETTLE_SECONDS

    def _busy(self) -> bool:
        """Watch for a while. Our children do nothing then, or what they do ends soon."""
        before = self.read()
        self.sleep(SETTLE_SECONDS)
        after = self.read()
        return before is not None and after is not None and after.others_since(before) > QUIET


@dataclass
class Watch:
    """Takes measurements after patience, and adds up what others used during them."""

    patience: Patience
    children: tuple[int, ...]  # processes that belong to the measurement
    shares: list[float] = field(default_factory=list)

    def __call__(self, measure: Callable[[], float]) -> float:
        """What ``measure`` returns."""
        self.patience.wait()
        before = ProcessorTime.now(*self.children)
        value = measure()
        after = ProcessorTime.now(*self.children)
        if before is not None and after is not None:
            self.shares.append(after.others_since(before))
        return value
