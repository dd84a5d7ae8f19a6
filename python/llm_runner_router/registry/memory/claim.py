"""Memory that a model wants before it is loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from llm_runner_router.errors import OverloadedError, shorten
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.records import MemoryEstimate

RETRY_SECONDS = 30.0
"""When to ask again for what does not fit: somebody has to unpin or unload something first."""

SHOWN = 8
"""Models that a refusal names."""


class MemoryClaim:
    """What ``resident`` wants; ``answered`` is set to ``None`` once it has it, or to the refusal.

    ``impatient`` says that it has waited long enough for models to make way by themselves.
    """

    def __init__(self, resident: Resident, estimate: MemoryEstimate) -> None:
        self.resident = resident
        self.estimate = estimate
        self.answered: asyncio.Future[OverloadedError | None]
        self.answered = asyncio.get_running_loop().create_future()
        self.impatient = False
        self.patience = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def bytes(self) -> int:
        """All that it wants."""
        return self.estimate.total

    def wait(self, patience: float, lose: Callable[[MemoryClaim], None]) -> None:
        """Call ``lose`` after ``patience`` seconds, where it still waits then."""
        self.patience = patience
        self._timer = asyncio.get_running_loop().call_later(patience, lose, self)

    def close(self) -> None:
        """It waits no more."""
        if self._timer is not None:
            self._timer.cancel()


def refused(
    claim: MemoryClaim, limit: int, pinned: Mapping[str, int], others: Mapping[str, int]
) -> OverloadedError:
    """Why ``claim`` cannot be met, in numbers; the mappings give bytes by model."""
    need = claim.estimate
    parts = {
        "weights": need.weights,
        "KV cache": need.kv,
        "compute": need.compute,
        "vocabulary": need.vocabulary,
    }
    wanted = ", ".join(f"{name} {readable(size)}" for name, size in parts.items() if size)
    return OverloadedError(
        f"model {shorten(claim.resident.model)} needs {readable(need.total)} of memory ({wanted}): "
        f"of the limit of {readable(limit)} (models.memoryBytes) pinned models take "
        f"{listed(pinned)}, others {listed(others)}",
        retry_after=RETRY_SECONDS,
        reason="MEMORY",
    )


def listed(sizes: Mapping[str, int]) -> str:
    """The sum, and the largest ones by name."""
    if not sizes:
        return "nothing"
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    names = ", ".join(f"{shorten(model)} {readable(size)}" for model, size in largest[:SHOWN])
    more = " …" if len(largest) > SHOWN else ""
    return f"{readable(sum(sizes.values()))} ({names}{more})"


def readable(size: int) -> str:
    """Bytes for people: ``1.50 GiB``."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{size} B" if unit == "B" else f"{value:.2f} {unit}"
