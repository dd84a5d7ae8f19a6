"""A request among those that wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass

from llm_runner_router.admission.ticket import Ticket

PATIENCE = 30.0
"""Seconds after which a waiting request counts as due and as HIGH, so that none starves."""

Charge = Callable[[str, float], None]
"""Adds to what a caller has had: its name, and tokens divided by its share."""


@dataclass(eq=False, slots=True)
class Place:
    """One that waits since ``arrival``; ``turn`` gets its result when it may run.

    The result is the means to charge the caller in the line that it stood in.
    """

    ticket: Ticket
    arrival: float
    turn: asyncio.Future[Charge]

    @property
    def due(self) -> float:
        """The deadline, or the end of its patience where that is nearer."""
        deadline = self.ticket.deadline
        return min(math.inf if deadline is None else deadline, self.arrival + PATIENCE)
