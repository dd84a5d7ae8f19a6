"""Checks of single values, each an InvalidRequestError of the field that it is given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeGuard

from llm_runner_router.errors import InvalidRequestError

UINT32 = 2**32 - 1
MAX_TEXT = 16_000_000
MAX_MODEL_ID = 128
MAX_KEY = 128


def check_kind(field: str, value: object, kind: type, allowed: str) -> None:
    """A list or a mapping; text is neither."""
    if not isinstance(value, kind) or isinstance(value, str):
        raise InvalidRequestError(field, value, allowed)


def check_flag(field: str, value: object) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidRequestError(field, value, "true or false")


def check_text(field: str, value: object, most: int, *, empty: bool = False) -> None:
    """Text of bounded length that UTF-8 can express."""
    least = 0 if empty else 1
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise InvalidRequestError(field, value, f"text of {least} to {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(field, value, "text without lone surrogates") from None


def check_number(field: str, value: object, least: float, most: float) -> None:
    """A number in a closed range, or nothing."""
    if value is not None and not (is_number(value) and least <= value <= most):
        raise InvalidRequestError(field, value, f"a number from {least:g} to {most:g}")


def check_positive(field: str, value: object, most: float) -> None:
    """A number above 0, or nothing."""
    if value is not None and not (is_number(value) and 0 < value <= most):
        raise InvalidRequestError(field, value, f"a number above 0 and at most {most:g}")


def check_count(field: str, value: object, least: int, most: int) -> None:
    """A whole number in a closed range, or nothing."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequestError(field, value, f"a whole number from {least} to {most}")


def is_number(value: object) -> TypeGuard[float]:
    """A finite number; bool is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def check_word(field: str, value: object, kind: type[StrEnum]) -> None:
    """A word of an enumeration."""
    if not isinstance(value, kind):
        raise InvalidRequestError(field, value, f"one of {', '.join(kind)}")


def check_list(field: str, values: object, most: int, what: str) -> None:
    """A list that is not too long."""
    allowed = f"a list of at most {most} {what}"
    check_kind(field, values, Sequence, allowed)
    if isinstance(values, Sequence) and len(values) > most:
        raise InvalidRequestError(field, len(values), allowed)


def check_texts(field: str, texts: Mapping[str, str], entries: int, characters: int) -> None:
    """Few entries of bounded text under short names."""
    check_kind(field, texts, Mapping, "texts by name")
    if len(texts) > entries:
        raise InvalidRequestError(field, len(texts), f"at most {entries} entries")
    for key, value in texts.items():
        check_text(f"{field} key", key, MAX_KEY)
        check_text(f"{field}[{key!r}]", value, characters, empty=True)
