"""What names and other short texts of the registry may be."""

from __future__ import annotations

from llm_runner_router.errors import InvalidRequestError


def check_line(field: str, value: object, most: int) -> None:
    """Text without control characters or space around it."""
    good = isinstance(value, str) and 0 < len(value) <= most and value.isprintable()
    if not good or value != str(value).strip():
        allowed = f"1 to {most} printable characters without space around them"
        raise InvalidRequestError(field, value, allowed)
