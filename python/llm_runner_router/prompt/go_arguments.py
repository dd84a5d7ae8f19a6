"""What the functions of a Go template ask of their arguments."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.prompt.go_tokens import Place
from llm_runner_router.prompt.go_values import WHOLE, Kind, Value


def check_count(
    values: Sequence[Value], place: Place, word: str, least: int, most: int | None
) -> None:
    """GoTemplateError where a function of that name got too few or too many."""
    if len(values) < least or (most is not None and len(values) > most):
        allowed = f"at least {least}" if most is None else f"{least} to {most}"
        allowed = f"{least}" if least == most else allowed
        raise place.error(f"{word} with {len(values)} arguments; allowed: {allowed}")


def check_whole(values: Sequence[Value], place: Place, word: str) -> None:
    """GoTemplateError where one cannot be a place in a list."""
    for value in values:
        if value.kind not in WHOLE or value.code.startswith("(-"):
            raise place.error(f"{word} with {value.kind.value} is not allowed; allowed: 0, 1, …")


def check_comparable(
    first: Value, second: Value, place: Place, word: str, allowed: frozenset[Kind]
) -> None:
    """GoTemplateError where the two are not of one kind, or of none that is ``allowed``."""
    kinds = {first.kind, second.kind}
    loose = len(kinds - {Kind.SCALAR, Kind.ABSENT}) < 2
    if not loose or not kinds <= allowed:
        pair = f"{first.kind.value} and {second.kind.value}"
        raise place.error(f"{word} of {pair} is not allowed")
