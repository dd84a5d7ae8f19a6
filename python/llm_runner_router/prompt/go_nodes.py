"""What a Go template is made of. Variables are slots: each declaration has its own number."""

from __future__ import annotations

from dataclasses import dataclass

from llm_runner_router.prompt.go_literals import Constant
from llm_runner_router.prompt.go_tokens import Place


@dataclass(frozen=True)
class Literal:
    """A constant; None is ``nil``."""

    place: Place
    value: Constant


@dataclass(frozen=True)
class Dot:
    """The value that ``.`` stands for."""

    place: Place


@dataclass(frozen=True)
class Variable:
    """``$name``; slot None is ``$``, the data of the whole template."""

    place: Place
    name: str
    slot: int | None


@dataclass(frozen=True)
class Path:
    """Fields of fields: ``.Function.Name``."""

    place: Place
    base: Expression
    names: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments, what was piped into it last."""

    place: Place
    function: str
    arguments: tuple[Expression, ...]


Expression = Literal | Dot | Variable | Path | Call


@dataclass(frozen=True)
class Text:
    """What stands outside of actions."""

    text: str


@dataclass(frozen=True)
class Print:
    """``{{ value }}``."""

    place: Place
    value: Expression


@dataclass(frozen=True)
class Set:
    """``{{ $name := value }}``, or with ``=`` where ``declares`` is False."""

    place: Place
    variable: Variable
    value: Expression
    declares: bool


@dataclass(frozen=True)
class Branch:
    """One ``if`` or, where ``rebinds``, ``with``."""

    place: Place
    rebinds: bool
    declared: Variable | None
    condition: Expression
    body: Body


@dataclass(frozen=True)
class Choice:
    """A chain of branches; the first that holds is taken."""

    branches: tuple[Branch, ...]
    otherwise: Body


@dataclass(frozen=True)
class Loop:
    """``range``; its variables are declared by it, or set where ``declares`` is False."""

    place: Place
    index: Variable | None
    element: Variable | None
    declares: bool
    items: Expression
    body: Body
    otherwise: Body


@dataclass(frozen=True)
class Jump:
    """``break`` or ``continue``."""

    word: str


Statement = Text | Print | Set | Choice | Loop | Jump
Body = tuple[Statement, ...]


@dataclass(frozen=True)
class GoTemplate:
    """A whole template.

    Args:
        body: the statements.
        names: the fields and variables anywhere inside.
        reassigned: the slots that are set again after their declaration.
    """

    body: Body
    names: frozenset[str]
    reassigned: frozenset[int]
