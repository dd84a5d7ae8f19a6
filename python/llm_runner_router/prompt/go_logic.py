"""The functions of Go templates that ask for truth: whether, which, equal, more or less."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llm_runner_router.prompt.go_arguments import check_comparable, check_count
from llm_runner_router.prompt.go_tokens import Place
from llm_runner_router.prompt.go_values import SCALARS, Kind, Value, common_kind, constant

Function = Callable[[Sequence[Value], Place], Value]

ORDERED = SCALARS - {Kind.TRUTH, Kind.ABSENT}


def both(values: Sequence[Value], place: Place) -> Value:
    """The first that is false, or the last."""
    return _decided(values, place, "and", deciding=False)


def either(values: Sequence[Value], place: Place) -> Value:
    """The first that is true, or the last."""
    return _decided(values, place, "or", deciding=True)


def _decided(values: Sequence[Value], place: Place, word: str, *, deciding: bool) -> Value:
    """The first value whose truth is ``deciding``, or the last; without those passed for sure."""
    check_count(values, place, word, 1, None)
    kept = []
    for number, value in enumerate(values, 1):
        if number == len(values) or value.truth in {None, deciding}:
            kept.append(value)
        if value.truth is deciding:
            break
    if len(kept) == 1:
        return kept[0]
    code = "(" + f" {word} ".join(value.code for value in kept) + ")"
    truth = deciding if any(value.truth is deciding for value in kept) else None
    return Value(common_kind(kept), code, truth)


def negated(values: Sequence[Value], place: Place) -> Value:
    """Whether it is false."""
    check_count(values, place, "not", 1, 1)
    [value] = values
    if value.truth is not None:
        return constant(not value.truth)
    return Value(Kind.TRUTH, f"(not {value.code})")


def equal(values: Sequence[Value], place: Place) -> Value:
    """Whether the first equals any of the others."""
    check_count(values, place, "eq", 2, None)
    first, *others = values
    for other in others:
        check_comparable(first, other, place, "eq", SCALARS)
    codes = [other.code for other in others]
    if len(codes) == 1:
        return Value(Kind.TRUTH, f"({first.code} == {codes[0]})")
    return Value(Kind.TRUTH, f"({first.code} in [{', '.join(codes)}])")


def comparison(word: str, operator: str, kinds: frozenset[Kind]) -> Function:
    """The function that compares two of ``kinds`` by Jinja's ``operator``."""

    def compare(values: Sequence[Value], place: Place) -> Value:
        check_count(values, place, word, 2, 2)
        first, second = values
        check_comparable(first, second, place, word, kinds)
        return Value(Kind.TRUTH, f"({first.code} {operator} {second.code})")

    return compare
