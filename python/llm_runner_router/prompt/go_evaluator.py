"""What the expressions and variables of a Go template are in Jinja.

All variables are attributes of one namespace, ``v``, because what Jinja sets inside a loop ends
with it, while Go's variables live in the block that declares them. The names of the template
itself never stand in what is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llm_runner_router.prompt.go_data import field_of
from llm_runner_router.prompt.go_functions import FUNCTIONS
from llm_runner_router.prompt.go_nodes import Call, Dot, Expression, Literal, Path, Variable
from llm_runner_router.prompt.go_values import SCALARS, Kind, Value, constant

ROOT = Value(Kind.ROOT, "none", truth=True)


class Evaluator:
    """Knows the variables that were declared so far.

    Args:
        root: the data of the template.
        reassigned: the variables that are set again after their declaration.
    """

    def __init__(self, root: Mapping[str, Value], reassigned: frozenset[int]) -> None:
        self._root = root
        self._reassigned = reassigned
        self._slots: dict[int, Value] = {}

    def value(self, expression: Expression, dot: Value) -> Value:
        """What ``expression`` is where ``dot`` is ``.``; GoTemplateError where it cannot be."""
        match expression:
            case Literal(_, constant_value):
                return constant(constant_value)
            case Dot():
                return dot
            case Variable():
                return self.variable(expression)
            case Path(place, base, names):
                value = self.value(base, dot)
                for name in names:
                    value = field_of(value, name, self._root, place)
                return value
            case Call(place, function, arguments):
                values = [self.value(argument, dot) for argument in arguments]
                return FUNCTIONS[function](values, place)

    def variable(self, variable: Variable) -> Value:
        """What a variable holds."""
        return ROOT if variable.slot is None else self._slots[variable.slot]

    def declare(self, variable: Variable, value: Value) -> list[str]:
        """The Jinja statements, none or one, that begin a variable with ``value``.

        What is never set again keeps what is known of it; any other scalar may become each.
        """
        slot, code = variable.slot or 0, f"v.x{variable.slot}"
        if slot in self._reassigned:
            if value.kind is Kind.MIXED:
                raise variable.place.error(f"{variable.name} cannot hold {value.kind.value}")
            kind = Kind.SCALAR if value.kind in SCALARS else value.kind
            self._slots[slot] = Value(kind, code)
            return [f"set {code} = {value.code}"]
        self._slots[slot] = named(value, code)
        return setting(value, code)

    def assign(self, variable: Variable, value: Value) -> str:
        """The Jinja statement that sets a declared variable."""
        held = self.variable(variable)
        fits = value.kind in SCALARS if held.kind is Kind.SCALAR else value.kind is held.kind
        if not fits or held.kind is Kind.ROOT:
            problem = f"{variable.name} holds {held.kind.value} and cannot take {value.kind.value}"
            raise variable.place.error(problem)
        return f"set {held.code} = {value.code}"


def named(value: Value, code: str) -> Value:
    """The same value under a name, once :func:`setting` is written."""
    return value if value.kind in {Kind.ROOT, Kind.ABSENT} else replace(value, code=code, count="")


def setting(value: Value, code: str) -> list[str]:
    """The Jinja statements, none or one, that give a value a name."""
    return [] if value.kind in {Kind.ROOT, Kind.ABSENT} else [f"set {code} = {value.code}"]
