"""The functions of Ollama's templates: those of Go that make sense for texts, and a few own.

Lengths of texts count letters, where Go counts bytes: templates ask whether there are any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_runner_router.errors import shorten
from llm_runner_router.prompt.go_arguments import check_count, check_whole
from llm_runner_router.prompt.go_logic import (
    ORDERED,
    Function,
    both,
    comparison,
    either,
    equal,
    negated,
)
from llm_runner_router.prompt.go_tokens import Place
from llm_runner_router.prompt.go_values import (
    NO_VALUE,
    SCALARS,
    WHOLE,
    Kind,
    Value,
    absent,
    constant,
    printed,
    text_literal,
)

_NIL = "<nil>"
_VERB = re.compile(r"%(.?)", re.DOTALL)
_VERBS = {"s": frozenset({Kind.TEXT, Kind.SCALAR}), "d": WHOLE, "t": frozenset({Kind.TRUTH})}


def _len(values: Sequence[Value], place: Place) -> Value:
    check_count(values, place, "len", 1, 1)
    [value] = values
    if value.kind is Kind.ABSENT:
        return constant(0)
    if value.kind not in {Kind.TEXT, Kind.SCALAR, Kind.MESSAGES}:
        raise place.error(f"len of {value.kind.value} is not allowed; allowed: text or messages")
    return Value(Kind.INTEGER, value.count or f"({value.code}|length)")


def _index(values: Sequence[Value], place: Place) -> Value:
    """One of the messages."""
    check_count(values, place, "index", 2, None)
    items, *places = values
    if items.kind is Kind.ABSENT:
        return absent(NO_VALUE)
    if items.kind is not Kind.MESSAGES or len(places) != 1:
        raise place.error(f"index of {items.kind.value} is not allowed; allowed: one of messages")
    check_whole(places, place, "index")
    return Value(Kind.MESSAGE, f"at({items.code}, {places[0].code})", truth=True)


def _slice(values: Sequence[Value], place: Place) -> Value:
    """A range of messages, as much of it as there is."""
    check_count(values, place, "slice", 1, 3)
    items, *bounds = values
    if items.kind is Kind.ABSENT:
        return items
    if items.kind is not Kind.MESSAGES:
        raise place.error(f"slice of {items.kind.value} is not allowed; allowed: messages")
    check_whole(bounds, place, "slice")
    start, end = [bound.code for bound in bounds] + [""] * (2 - len(bounds))
    # Asked for in every round of most templates, so it must not cost as much as the list is long.
    count = f"({items.count} - {start})" if items.count and start and not end else ""
    return Value(Kind.MESSAGES, f"{items.code}[{start}:{end}]", count=count)


def _print(values: Sequence[Value], place: Place) -> Value:
    """All values, with a space between two of which none is a text."""
    if len(values) > 1 and any(value.kind is Kind.SCALAR for value in values):
        raise place.error(f"print of {Kind.SCALAR.value} among others is not supported")
    parts = [_formatted("v", value, place) for value in values]
    for number in range(len(values) - 1, 0, -1):
        if Kind.TEXT not in {values[number - 1].kind, values[number].kind}:
            parts.insert(number, "' '")
    return _joined(parts)


def _println(values: Sequence[Value], place: Place) -> Value:
    """All values with a space between, and a line break."""
    parts = [part for value in values for part in ("' '", _formatted("v", value, place))]
    return _joined([*parts[1:], "'\n'"])


def _printf(values: Sequence[Value], place: Place) -> Value:
    """Text with values in it, by the verbs %s, %d, %t, %v."""
    check_count(values, place, "printf", 1, None)
    form, *arguments = values
    if form.kind is not Kind.TEXT or form.code != text_literal(form.shown):
        raise place.error("printf without a literal format is not supported")
    pieces = _VERB.split(form.shown)
    parts = [text_literal(pieces[0])]
    for verb, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if verb == "%":
            parts.append("'%'")
        elif not arguments:
            raise place.error(f"printf has no value for %{verb}")
        else:
            parts.append(_formatted(verb, arguments.pop(0), place))
        parts.append(text_literal(text))
    if arguments:
        raise place.error(f"printf has {len(arguments)} values more than verbs")
    return _joined([part for part in parts if part != "''"])


def _formatted(verb: str, value: Value, place: Place) -> str:
    if verb != "v" and verb not in _VERBS:
        raise place.error(
            f"printf with {shorten('%' + verb)} is not supported; allowed: %s %d %t %v %%"
        )
    if verb != "v" and value.kind not in _VERBS[verb] | {Kind.ABSENT}:
        raise place.error(f"printf with %{verb} of {value.kind.value} is not supported")
    if value.kind is Kind.ABSENT and value.shown == NO_VALUE:
        return text_literal(_NIL if verb == "v" else f"%!{verb}({_NIL})")
    return printed(value, place)


def _json(values: Sequence[Value], place: Place) -> Value:
    """JSON as Go writes it: without what means something in HTML."""
    check_count(values, place, "json", 1, 1)
    [value] = values
    if value.kind is Kind.ABSENT:
        return constant("null")
    if value.kind in {Kind.INTEGER, Kind.TRUTH, Kind.FRACTION}:
        return Value(Kind.TEXT, printed(value, place))
    if value.kind not in SCALARS:
        raise place.error(f"json of {value.kind.value} is not supported")
    code = f"({value.code}|tojson)"
    for letter in "<>&\u2028\u2029":
        code += f"|replace('{letter}', '\\\\u{ord(letter):04x}')"
    return Value(Kind.TEXT, f"({code})", truth=True)


def _current_date(values: Sequence[Value], place: Place) -> Value:  # noqa: ARG001 - its form is ignored
    return Value(Kind.TEXT, "strftime_now('%Y-%m-%d')", truth=True)


def _yesterday_date(values: Sequence[Value], place: Place) -> Value:  # noqa: ARG001
    return Value(Kind.TEXT, "yesterday()", truth=True)


def _type_script_type(values: Sequence[Value], place: Place) -> Value:
    """The type of a tool's parameter; there are none."""
    check_count(values, place, "toTypeScriptType", 1, 1)
    return constant("any")


def _joined(parts: Sequence[str]) -> Value:
    """A text of expressions."""
    return Value(Kind.TEXT, f"({' ~ '.join(parts)})" if parts else "''")


FUNCTIONS: dict[str, Function] = {
    "and": both,
    "currentDate": _current_date,
    "eq": equal,
    "ge": comparison("ge", ">=", ORDERED),
    "gt": comparison("gt", ">", ORDERED),
    "index": _index,
    "json": _json,
    "le": comparison("le", "<=", ORDERED),
    "len": _len,
    "lt": comparison("lt", "<", ORDERED),
    "ne": comparison("ne", "!=", SCALARS),
    "not": negated,
    "or": either,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "slice": _slice,
    "toTypeScriptType": _type_script_type,
    "yesterdayDate": _yesterday_date,
}
