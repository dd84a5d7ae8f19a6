"""Two series of runs that took turns, and what they say about each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Comparison:
    """Ours and a peer's runs of one workload; the peer's are missing where none was measured.

    The ratio says how many times better ours is: more where more is better, less where less is.
    """

    name: str
    about: str
    unit: str
    better: Literal["more", "less"]
    peer_name: str
    ours: tuple[float, ...]
    peer: tuple[float, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Of the medians."""
        return self._times_better(median(self.ours), median(self.peer)) if self.peer else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each run of ours and the peer's run after it: the noise between them."""
        return tuple(map(self._times_better, self.ours, self.peer))

    def _times_better(self, ours: float, peer: float) -> float:
        return ours / peer if self.better == "more" else peer / ours

    def to_json(self) -> dict[str, Any]:
        """Numbers with six digits: more would be noise."""
        return {
            "about": self.about,
            "unit": self.unit,
            "better": self.better,
            "peer_name": self.peer_name,
            "ours": digits(median(self.ours)),
            "peer": digits(median(self.peer)) if self.peer else None,
            "ratio": None if self.ratio is None else digits(self.ratio),
            "runs": {
                "ours": list(map(digits, self.ours)),
                "peer": list(map(digits, self.peer)),
                "ratios": list(map(digits, self.ratios)),
            },
        }


def digits(value: float) -> float:
    """Six of them."""
    return float(f"{value:.6g}")


def take_turns(
    runs: int,
    ours: Callable[[int], float],
    peer: Callable[[int], float] | None,
    watched: Callable[[Callable[[], float]], float],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """``runs`` measurements of each, ours and the peer's in turn; the first ones warm up only.

    Both are told the number of the run, so that they do the same work. ``watched`` takes each
    measurement: what it does around it is no part of it.
    """
    measured: list[float] = []
    compared: list[float] = []
    for number in range(runs + 1):
        measured.append(watched(partial(ours, number)))
        if peer is not None:
            compared.append(watched(partial(peer, number)))
    return tuple(measured[1:]), tuple(compared[1:])
