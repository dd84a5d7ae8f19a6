"""What names and other texts of the registry may be."""

from __future__ import annotations

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.validation.values import check_text


def check_line(field: str, value: object, most: int) -> None:
    """Text without control characters or space around it."""
    good = isinstance(value, str) and 0 < len(value) <= most and value.isprintable()
    if not good or value != str(value).strip():
        allowed = f"1 to {most} printable characters without space around them"
        raise InvalidRequestError(field, value, allowed)


def check_kept_text(field: str, value: object, most: int, *, empty: bool = False) -> None:
    """Text that every database keeps: PostgreSQL takes no NUL characters."""
    check_text(field, value, most, empty=empty)
    if "\0" in str(value):
        raise InvalidRequestError(field, value, "text without NUL characters")
