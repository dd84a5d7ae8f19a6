"""The variables of a Go template while it is parsed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from llm_runner_router.prompt.go_nodes import Variable
from llm_runner_router.prompt.go_tokens import Place, Token

_MAX_DEPTH = 12


class Scope:
    """Which declaration a name means, how deep the parser is, and what it met."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.reassigned: set[int] = set()
        self._slots: dict[str, list[int]] = {}
        self._declared: list[str] = []
        self._next = 0
        self._depth = 0

    @contextlib.contextmanager
    def block(self, place: Place) -> Iterator[None]:
        """One step down, with variables of its own. GoTemplateError where it is too deep."""
        depth = self._depth
        self.deepen(place)
        with self.variables():
            yield
        self._depth = depth

    @contextlib.contextmanager
    def variables(self) -> Iterator[None]:
        """What is declared inside ends with it."""
        mark = len(self._declared)
        yield
        while len(self._declared) > mark:
            self._slots[self._declared.pop()].pop()

    def deepen(self, place: Place) -> None:
        """One step down, until the block ends. GoTemplateError where it is too deep."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise place.error(f"nests deeper than {_MAX_DEPTH}")

    def declare(self, token: Token) -> Variable:
        """A new variable of that name."""
        self._next += 1
        if token.text == "$":
            raise token.place.error("$ itself cannot be set")
        self._slots.setdefault(token.text, []).append(self._next)
        self._declared.append(token.text)
        return Variable(token.place, token.text, self._next)

    def assign(self, token: Token) -> Variable:
        """The variable of that name, which from now on counts as reassigned."""
        variable = self.use(token)
        if variable.slot is None:
            raise token.place.error("$ itself cannot be set")
        self.reassigned.add(variable.slot)
        return variable

    def use(self, token: Token) -> Variable:
        """The variable of that name; GoTemplateError where there is none."""
        if token.text == "$":
            return Variable(token.place, "$", None)
        slots = self._slots.get(token.text)
        if not slots:
            raise token.place.error(f"the variable {token} is not declared")
        return Variable(token.place, token.text, slots[-1])
