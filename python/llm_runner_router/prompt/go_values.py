"""Values of a Go template as expressions of Jinja, with what is known of them beforehand.

A message is the index of its first part in ``messages``, as text: that is what ``.Messages``
lists, because a sandboxed template can cut a text into a list, but not put a list together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llm_runner_router.prompt.go_literals import Constant
from llm_runner_router.prompt.go_tokens import Place

NO_VALUE = "<no value>"

_LINE_BREAK = ord("\n")
_ESCAPES = {code: f"\\x{code:02x}" for code in range(ord(" ")) if code != _LINE_BREAK} | {
    ord("\\"): r"\\",
    ord("'"): r"\'",
}


class Kind(StrEnum):
    """What a value is; the words stand in messages."""

    TEXT = "text"
    INTEGER = "an integer"
    FRACTION = "a number"
    TRUTH = "a truth value"
    SCALAR = "a text, number or truth value"
    MESSAGE = "a message"
    MESSAGES = "messages"
    ROOT = "the data of the template"
    ABSENT = "nothing"  # what no conversation here has, such as tools
    MIXED = "one of several things"


SCALARS = frozenset({Kind.TEXT, Kind.INTEGER, Kind.FRACTION, Kind.TRUTH, Kind.SCALAR, Kind.ABSENT})
WHOLE = frozenset({Kind.INTEGER, Kind.SCALAR})


@dataclass(frozen=True)
class Value:
    """A value.

    Args:
        kind: what it is.
        code: a Jinja expression that stands for itself in any other, and has no effects.
        truth: whether it counts as true, None where only rendering tells.
        shown: of nothing: what Go prints for it. Of a literal text: the text.
        count: of messages: a Jinja expression of how many.
    """

    kind: Kind
    code: str
    truth: bool | None = None
    shown: str = NO_VALUE
    count: str = ""


def text_literal(text: str) -> str:
    """``text`` as a string of Jinja."""
    return f"'{text.translate(_ESCAPES)}'"


def constant(value: Constant) -> Value:
    """A literal."""
    truth = bool(value)
    if value is None:
        return absent(NO_VALUE)
    if isinstance(value, bool):
        return Value(Kind.TRUTH, "true" if value else "false", truth)
    if isinstance(value, str):
        return Value(Kind.TEXT, text_literal(value), truth, shown=value)
    kind = Kind.INTEGER if isinstance(value, int) else Kind.FRACTION
    return Value(kind, f"({value})" if value < 0 else str(value), truth)


def absent(shown: str) -> Value:
    """A value that is never there, and that Go prints as ``shown``."""
    return Value(Kind.ABSENT, "none", truth=False, shown=shown)


def common_kind(values: list[Value]) -> Kind:
    """The kind of what may be any of ``values``."""
    kinds = {value.kind for value in values}
    if len(kinds) == 1:
        return kinds.pop()
    # Where a list that is not there may be printed, rendering could not tell how.
    lists = any(value.kind is Kind.ABSENT and value.shown != NO_VALUE for value in values)
    return Kind.SCALAR if kinds <= SCALARS and not lists else Kind.MIXED


def printed(value: Value, place: Place) -> str:
    """An expression of the text that Go prints for ``value``; GoTemplateError where none does."""
    match value.kind:
        case Kind.TEXT | Kind.INTEGER:
            return value.code
        case Kind.TRUTH:
            return f"('true' if {value.code} else 'false')"
        case Kind.SCALAR | Kind.FRACTION:
            return f"printed({value.code})"
        case Kind.ABSENT:
            return text_literal(value.shown)
        case _:
            raise place.error(f"{value.kind.value} cannot be printed")
