"""All who wait."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator

from llm_runner_router.admission.line import Line
from llm_runner_router.admission.place import PATIENCE, Place
from llm_runner_router.admission.ticket import Ticket
from llm_runner_router.preferences import Priority

URGENCY = (Priority.HIGH, Priority.NORMAL, Priority.LOW)


class Waiting:
    """A line for each priority. Whoever has lost its patience moves up to the first."""

    def __init__(self) -> None:
        self._lines = {priority: Line() for priority in URGENCY}
        self._places: OrderedDict[Place, Line] = OrderedDict()
        self._patient: OrderedDict[Place, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def line_of(self, priority: Priority) -> Line:
        """The line of those with this priority."""
        return self._lines[priority]

    def add(self, place: Place) -> None:
        """Let one wait. Places are added in the order of their arrival."""
        priority = place.ticket.priority
        self._stand(place, self._lines[priority])
        if priority is not Priority.HIGH:
            self._patient[place] = None

    def discard(self, place: Place) -> None:
        """Let one go that gives up, where it is there."""
        line = self._places.pop(place, None)
        if line is not None:
            line.discard(place)
            self._patient.pop(place, None)

    def pop(self, now: float) -> tuple[Place, Line]:
        """Who is next, and the line it stood in. There must be one."""
        self._move_up(now)
        line = next(line for line in self._lines.values() if line)
        place = line.pop()
        del self._places[place]
        self._patient.pop(place, None)
        return place, line

    def crowding(self, ticket: Ticket) -> Place | None:
        """Who has to make room for ``ticket`` in a full queue; ``None``: nobody.

        The latest, no more urgent one, of the caller that has the most waiting, if the newcomer's
        caller has fewer even with it.
        """
        waiting = Counter(place.ticket.caller for place in self._places)
        (caller, most), *_ = waiting.most_common(1) or [("", 0)]
        if most <= waiting[ticket.caller] + 1:
            return None
        urgency = URGENCY.index(ticket.priority)
        for place in reversed(self._places):
            urgent = URGENCY.index(place.ticket.priority) < urgency
            if place.ticket.caller == caller and not urgent and not place.turn.done():
                return place
        return None

    def clear(self) -> None:
        """Let all go."""
        for place in list(self._places):
            self.discard(place)

    def _move_up(self, now: float) -> None:
        while self._patient:
            place = next(iter(self._patient))
            if now - place.arrival <= PATIENCE:
                return
            del self._patient[place]
            self._places[place].discard(place)
            self._stand(place, self._lines[Priority.HIGH])

    def _stand(self, place: Place, line: Line) -> None:
        line.push(place)
        self._places[place] = line
