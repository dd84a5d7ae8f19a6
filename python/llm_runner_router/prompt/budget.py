"""What one rendering may cost, counted in letters and list entries touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from jinja2 import Undefined

from llm_runner_router.prompt.errors import ChatTemplateError

_BASE_WORK = 8_000_000
_WORK_PER_LETTER = 64
_OPERATION = 50
_SECONDS = 2.0
_MAX_DEPTH = 64
_MAX_INTEGER_BITS = 4096

Literal = str | int | float | bool | None


@dataclass
class Budget:
    """Falls with every operation of one rendering. Not shared between renderings or threads.

    The work is what ends a hostile template, the same way on every machine. The deadline is the
    second line, for what is not counted (comparisons, slices). It is one of the thread's own time:
    that a machine is busy or stands still is no fault of the template.
    """

    work: int
    deadline: float = field(default_factory=lambda: time.thread_time() + _SECONDS)

    @classmethod
    def for_input(cls, letters: int) -> Budget:
        """Enough for any honest template that is given so many letters."""
        return cls(_BASE_WORK + _WORK_PER_LETTER * letters)

    def charge(self, size: int) -> None:
        """Pays for one operation that touches or makes ``size`` letters or entries."""
        self.work -= size + _OPERATION
        if self.work < 0:
            raise ChatTemplateError("the chat template makes too much text or takes too many steps")
        if time.thread_time() > self.deadline:
            raise ChatTemplateError(f"the chat template takes longer than {_SECONDS:g} s")

    def charge_value(self, value: object, *, printable: bool = False) -> None:
        """Pays for a value as large as it would be printed.

        Lists may hold one list many times, so printing can cost far more than the memory. Values
        whose printed size cannot be told are refused where ``printable`` is asked for.
        """
        todo = [(value, 0)]
        while todo:
            item, depth = todo.pop()
            if depth > _MAX_DEPTH:
                raise ChatTemplateError(f"the chat template nests deeper than {_MAX_DEPTH}")
            inside = _contents(item)
            if inside is not None:
                todo += [(entry, depth + 1) for entry in inside]
            elif printable and not isinstance(item, Literal | Undefined):
                raise ChatTemplateError(f"the chat template prints a {type(item).__name__}")
            self.charge(_size(item))


def _contents(value: object) -> Sequence[object] | None:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | AbstractSet):
        return list(value)
    return None


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
        raise ChatTemplateError(f"the chat template makes a number of {value.bit_length()} bits")
    return 1
