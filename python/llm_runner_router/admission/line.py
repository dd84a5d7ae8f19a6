"""Those of one priority that wait, in fair shares between callers."""

from __future__ import annotations

from collections import OrderedDict

from llm_runner_router.admission.heap import Heap
from llm_runner_router.admission.place import Place

REMEMBERED = 10_000
"""Callers whose service is remembered; those that were served longest ago are forgotten first."""


class Line:
    """A virtual token counter: the caller that has had the least for its share is next.

    Within a caller the earliest due is. A caller that comes back after it had nothing waiting is
    lifted to the least of those that wait: idling earns nothing. One that is forgotten, or never
    came, counts as served like the one that went last.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Heap[Place]] = {}
        self._callers: Heap[str] = Heap()
        self._served: OrderedDict[str, float] = OrderedDict()
        self._level = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def remembered(self) -> int:
        """Callers whose service is remembered."""
        return len(self._served)

    def push(self, place: Place) -> None:
        """Add one that waits."""
        caller = place.ticket.caller
        places = self._waiting.get(caller)
        if places is None:
            self._lift(caller)
            places = self._waiting[caller] = Heap()
            self._callers.push(caller, self.served(caller))
        places.push(place, place.due)

    def discard(self, place: Place) -> None:
        """Take out one that gives up, where it is there."""
        caller = place.ticket.caller
        places = self._waiting.get(caller)
        if places is not None:
            places.discard(place)
            self._leave_if_empty(caller, places)

    def pop(self) -> Place:
        """Take out who is next. There must be one."""
        caller = self._callers.first()
        places = self._waiting[caller]
        place = places.pop()
        self._level = self.served(caller)
        self._leave_if_empty(caller, places)
        return place

    def pass_by(self, caller: str) -> None:
        """Note one that need not wait, as if it had come and gone."""
        self._lift(caller)
        self._level = self.served(caller)

    def charge(self, caller: str, amount: float) -> None:
        """Add to what ``caller`` has had: tokens divided by its share."""
        self._remember(caller, self.served(caller) + amount)
        if caller in self._callers:
            self._callers.push(caller, self.served(caller))

    def served(self, caller: str) -> float:
        """What ``caller`` has had."""
        return self._served.get(caller, self._level)

    def _lift(self, caller: str) -> None:
        least = self.served(self._callers.first()) if self._callers else self._level
        if self.served(caller) < least:
            self._remember(caller, least)

    def _remember(self, caller: str, served: float) -> None:
        self._served[caller] = served
        self._served.move_to_end(caller)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)

    def _leave_if_empty(self, caller: str, places: Heap[Place]) -> None:
        if not places:
            del self._waiting[caller]
            self._callers.discard(caller)
